/** undici has types for its index only; these map them to the files that `lib/vendor.ts` imports. */
declare module 'undici/lib/api/api-connect.js' {
	import type { Dispatcher } from 'undici';
	export default function connect(
		this: Dispatcher,
		options: Dispatcher.ConnectOptions,
	): Promise<Dispatcher.ConnectData>;
}
declare module 'undici/lib/api/api-request.js' {
	import type { Dispatcher } from 'undici';
	export default function request(
		this: Dispatcher,
		options: Dispatcher.RequestOptions,
	): Promise<Dispatcher.ResponseData>;
}
declare module 'undici/lib/core/connect.js' {
	export { default } from 'undici/types/connector';
}
declare module 'undici/lib/dispatcher/env-http-proxy-agent.js' {
	export { default } from 'undici/types/env-http-proxy-agent';
}
declare module 'undici/lib/dispatcher/pool.js' {
	export { default } from 'undici/types/pool';
}
