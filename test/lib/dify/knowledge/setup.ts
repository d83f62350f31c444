import type { SimRequest } from '../../../simulators/dify/types';
import type { DifySim } from '../../../simulators/dify';

/** Requests that change something. */
export function writes(sim: DifySim): SimRequest[] {
	return sim.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/retrieve'));
}

/** The body of the last request to a route. */
export function lastBody(sim: DifySim, path: RegExp): Record<string, unknown> {
	const found = sim.requests.findLast(
		(request) => path.test(request.path) && request.method !== 'GET',
	);
	if (found === undefined) throw new Error(`Nothing was sent to ${path.source}`);
	const data = found.upload?.fields.data;
	return (data === undefined ? found.json : JSON.parse(data)) as Record<string, unknown>;
}
