/** undici has types for its index only; these map them to the files that `lib/vendor.ts` imports. */
declare module 'undici/lib/api/api-connect.js' {
	export { connect as default } from 'undici';
}
declare module 'undici/lib/core/connect.js' {
	export { default } from 'undici/types/connector';
}
declare module 'undici/lib/dispatcher/dispatcher.js' {
	export const prototype: object;
}
declare module 'undici/lib/dispatcher/env-http-proxy-agent.js' {
	export { default } from 'undici/types/env-http-proxy-agent';
}
declare module 'undici/lib/dispatcher/pool.js' {
	export { default } from 'undici/types/pool';
}
