/** A server as facts of errors know it. */
import type { KnownServer } from '../errors/facts';
import type { ServerType } from './types/server-type';

/** A server as the table of what is told knows it. */
export function toKnownServer({ name, label, hasEveryRoute, routes }: ServerType): KnownServer {
	return {
		type: name,
		label,
		hasEveryRoute: hasEveryRoute === true,
		hasNativeRoutes: routes !== undefined,
	};
}
