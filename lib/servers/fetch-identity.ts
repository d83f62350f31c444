import { tryProbe } from './probe';
import { SERVER_TYPES, identifyServerType } from './types/index';
import { other } from './types/other';
import type { IdentityResponses, ModelServer, ProbeResponse } from './types/server-type';

/** Of each probe. */
export const IDENTIFICATION_TIMEOUT_MS = 5_000;

/** The responses that identify a server; undefined if they may be those of a temporary state, or of a rejected key. */
export async function fetchIdentity(
	server: ModelServer,
	models: ProbeResponse | undefined,
): Promise<IdentityResponses | undefined> {
	const options = { timeoutMs: IDENTIFICATION_TIMEOUT_MS };
	if (models === undefined || SERVER_TYPES[identifyServerType({ models })] !== other)
		return models && { models };
	if ([401, 403, 407].includes(models.status) || isTransient(models)) return undefined;
	const apiVersion = await tryProbe(server, '/api/version', options);
	return apiVersion === undefined || isTransient(apiVersion) ? undefined : { models, apiVersion };
}

function isTransient({ status }: ProbeResponse) {
	return status === 408 || status === 429 || status >= 500;
}
