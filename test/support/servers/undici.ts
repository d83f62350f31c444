/** Parts of undici that `lib/vendor.ts` does not bundle, for tests. */
export { Agent, request } from 'undici';
