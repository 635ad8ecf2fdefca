// Dates of header fields (RFC 9110 §5.6.7).

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = MONTHS.join("|");
const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(
    `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) (?<month>${MONTH}) (?<year>\\d{4}) (?<time>[\\d:]{8}) GMT$`,
  ),
  // Sunday, 06-Nov-94 08:49:37 GMT (RFC 850)
  new RegExp(
    `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-(?<month>${MONTH})-(?<year>\\d\\d) (?<time>[\\d:]{8}) GMT$`,
  ),
  // Sun Nov  6 08:49:37 1994 (asctime)
  new RegExp(
    `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>${MONTH}) (?<day>[\\d ]\\d) (?<time>[\\d:]{8}) (?<year>\\d{4})$`,
  ),
];

/** Milliseconds since 1970 as a date of a header field, to the second. */
export function writeHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** A date in any of the three forms as milliseconds since 1970; `null` for anything else, which recipients ignore. */
export function parseHttpDate(text: string): number | null {
  for (const form of FORMS) {
    const { day, month, year, time } = form.exec(text)?.groups ?? {};
    if (day === undefined || month === undefined || year === undefined || time === undefined) continue;
    return toMs(fullYear(year), MONTHS.indexOf(month), Number(day), time);
  }
  return null;
}

/** Two digits that seem more than 50 years ahead are of the past century. */
function fullYear(year: string): number {
  if (year.length === 4) return Number(year);
  const thisYear = new Date().getUTCFullYear();
  const full = thisYear - (thisYear % 100) + Number(year);
  return full > thisYear + 50 ? full - 100 : full;
}

function toMs(year: number, month: number, day: number, time: string): number | null {
  const [hour, minute, second] = /^(\d\d):(\d\d):(\d\d)$/.exec(time)?.slice(1).map(Number) ?? [];
  if (hour === undefined || minute === undefined || second === undefined) return null;
  if (hour > 23 || minute > 59 || second > 60) return null; // 60: a leap second
  const date = new Date(Date.UTC(year, month, day, hour, minute, second));
  return date.getUTCDate() === day || second === 60 ? date.getTime() : null; // 31 Feb
}
