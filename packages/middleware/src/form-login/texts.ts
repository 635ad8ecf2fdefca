// What the login page says; every text can be replaced, for another language for example.

/** Texts of the login page. */
export interface LoginTexts {
  readonly title: string;
  readonly user: string;
  readonly password: string;
  readonly submit: string;
  /** Above the form; `""`: nothing. */
  readonly intro: string;
  /** Below the form; `""`: nothing. */
  readonly note: string;
  /** Between the form and other ways to log in. */
  readonly or: string;
  readonly wrong: string;
  readonly tooMany: string;
  readonly foreign: string;
  readonly signedIn: string;
  readonly goOn: string;
  readonly signOut: string;
}

/** The texts in English. */
export const englishTexts: LoginTexts = {
  title: "Sign in",
  user: "Name",
  password: "Password",
  submit: "Sign in",
  intro: "",
  note: "",
  or: "or",
  wrong: "Wrong name or password.",
  tooMany: "Too many attempts. Please wait a while, then try again.",
  foreign: "The form was sent from another site. Please sign in here.",
  signedIn: "You are signed in as",
  goOn: "Continue",
  signOut: "Sign out",
};
