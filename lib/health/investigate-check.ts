/** The errors of a check with what is known of their cause: the same table as for every other request. */
import type { CheckedService } from '../errors/facts';
import { investigate } from '../errors/investigate';
import type { ServerError } from '../errors/server-error';
import type { Endpoint } from '../http/types';

/** The error of a probe. */
export async function investigateProbe(
	error: ServerError,
	{ url: { root } }: Endpoint,
	service: CheckedService,
): Promise<ServerError> {
	return await investigate(error, {
		checkedService: () => service,
		root: () => root,
	});
}

/** The error of a generation that Server Health has requested, of a server that responded to all probes. */
export async function investigateTestGeneration(error: ServerError): Promise<ServerError> {
	return await investigate(error, { isTestGeneration: () => true });
}
