import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';
import { createDifyClient, readDifyCredential } from '../../../lib/dify/credentials';
import type { CheckTarget } from '../../../lib/health/check';
import type { DifyServer } from '../../../lib/health/dify';
import { createModelServer } from '../../../lib/servers/endpoint';

/** The target of an item's credential. A polling node has no items: index 0. */
export async function createCheckTarget(
	context: Pick<FunctionsBase, 'getCredentials'> & { helpers: object },
	service: CheckTarget['service'],
	itemIndex: number,
): Promise<CheckTarget> {
	const credentialType = service === 'dify' ? 'difyApi' : 'localLlamaApi';
	const data = await context.getCredentials(credentialType, itemIndex);
	return toCheckTarget(service, data, context.helpers);
}

export function toCheckTarget(
	service: CheckTarget['service'],
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): CheckTarget {
	return service === 'dify'
		? { service, open: () => createDifyServer(data, helpers) }
		: { service, open: () => createModelServer(data, helpers) };
}

/** Throws a `ServerError` of type `invalidUrl` or `invalidInput`. */
function createDifyServer(data: ICredentialDataDecryptedObject, helpers?: object): DifyServer {
	const { endpoint } = createDifyClient(data, helpers);
	const { keyType } = readDifyCredential(data);
	return { ...endpoint, keyType, url: { ...endpoint.url, root: endpoint.url.api } };
}
