// What other packages use of this folder.
export {
  type AllowedNumber,
  checkNumbers,
  countFrom,
  limitMs,
  type NumberTable,
  shownValue,
  timerMs,
  wholeNumber,
} from "./numbers.ts";
