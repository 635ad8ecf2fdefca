// The public names of the header blocks, for the package's entry.
export { isBodiless, withoutTrailers, writeAnswerBlock } from "./answer.ts";
export { type BlockKind, classifyBlock } from "./classify.ts";
export { HeaderBlockError, type HeaderBlockErrorCode } from "./error.ts";
export { type HeaderBlock, HeaderBlockDecoder, type HeaderBlockOptions } from "./parse.ts";
export { writeHeaderBlock } from "./write.ts";
