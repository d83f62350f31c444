/** The errors of a check with what is known of their cause: the same table as for every other request. */
import { diagnose } from '../diagnosis/diagnose';
import type { CheckedService } from '../diagnosis/facts';
import { getErrorText } from '../errors/error-types';
import { parseHostAndPort } from '../errors/host-and-port';
import type { ServerError } from '../errors/server-error';
import type { Endpoint } from '../http/types';

/** The error of a probe. */
export async function diagnoseProbe(
	error: ServerError,
	{ url: { root } }: Endpoint,
	service: CheckedService,
): Promise<ServerError> {
	return await diagnose(error, {
		checkedService: () => service,
		connectionAdvice: () =>
			getErrorText('connectTimeout', { ...parseHostAndPort(root), url: root, root }).suggestion,
	});
}

/** The error of a generation that Server Health has requested, of a server that responded to all probes. */
export async function diagnoseTestGeneration(error: ServerError): Promise<ServerError> {
	return await diagnose(error, { isTestGeneration: () => true });
}
