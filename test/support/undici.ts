/** The whole of undici, for tests: `lib/vendor.ts` takes only parts of it. */
export { Agent, request } from 'undici';
