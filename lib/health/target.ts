/** The server that a health node checks. */
import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';
import { createDifyClient, readDifyCredential } from '../dify/credentials';
import type { CheckTarget } from './check';
import type { DifyServer } from './check-dify';
import { createModelServer } from '../servers/endpoint';
import type { NodeHost } from '../servers/execution-memory';

/**
 * The target of an item's credential.
 *
 * @param itemIndex - 0 for a polling node, which has no items
 */
export async function createCheckTarget(
	context: Pick<FunctionsBase, 'getCredentials'> & NodeHost,
	service: CheckTarget['service'],
	itemIndex: number,
): Promise<CheckTarget> {
	const credentialType = service === 'dify' ? 'difyApi' : 'localLlamaApi';
	const data = await context.getCredentials(credentialType, itemIndex);
	return toCheckTarget(service, data, context);
}

/**
 * The target of a credential. Opening it may fail, so that a check can report why.
 *
 * @param host - The context of the node
 */
export function toCheckTarget(
	service: CheckTarget['service'],
	data: ICredentialDataDecryptedObject,
	host: NodeHost,
): CheckTarget {
	return service === 'dify'
		? { service, createServer: () => createDifyServer(data, host.helpers) }
		: { service, createServer: () => createModelServer(data, host) };
}

/** @throws a `ServerError` of type `invalidUrl` or `invalidInput` */
function createDifyServer(data: ICredentialDataDecryptedObject, helpers?: object): DifyServer {
	const { endpoint } = createDifyClient(data, helpers);
	const { keyType } = readDifyCredential(data);
	return { ...endpoint, keyType };
}
