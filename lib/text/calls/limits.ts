/** Limits of the calls in a text. */

/** Calls of one response that may run. A model that repeats itself writes thousands. */
export const MAX_CALLS = 100;

/** Members and elements in the arguments of a call. Each of them is checked against the schema of its tool. */
export const MAX_VALUES = 5_000;

/** Characters of the longest response that is read for calls: more than 128,000 tokens. Nothing in a longer one runs. */
export const MAX_RESPONSE_WITH_CALLS = 512 * 1024;
