import type { SimRequest } from '../../../simulators/dify/types';
import type { DifySim } from '../../../simulators/dify';

/** Requests that change something. */
export function getWrites(sim: DifySim): SimRequest[] {
	return sim.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/retrieve'));
}

/** The body of the last request to a route. */
export function getLastBody(sim: DifySim, path: RegExp): Record<string, unknown> {
	const request = sim.requests.findLast(
		(request) => path.test(request.path) && request.method !== 'GET',
	);
	if (request === undefined) throw new Error(`Nothing was sent to ${path.source}`);
	const data = request.upload?.fields.data;
	return (data === undefined ? request.json : JSON.parse(data)) as Record<string, unknown>;
}
