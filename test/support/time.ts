/**
 * The longest that "at once" may take, in milliseconds. A busy machine stands still for seconds now and then; what a
 * test tells "at once" from takes three times as long, or never ends.
 */
export const AT_ONCE_MS = 10_000;
