import type { FunctionsBase, ICredentialDataDecryptedObject } from 'n8n-workflow';

import { difyClient, readDifyCredential } from '../../../lib/dify/credentials';
import type { CheckTarget } from '../../../lib/health/check';
import type { DifyServer } from '../../../lib/health/dify';
import { serverOf } from '../../../lib/servers/model-server';

/** The target of an item's credential. A polling node has no items: index 0. */
export async function targetOf(
	context: Pick<FunctionsBase, 'getCredentials'> & { helpers: object },
	service: CheckTarget['service'],
	itemIndex: number,
): Promise<CheckTarget> {
	return service === 'dify'
		? difyTarget(await context.getCredentials('difyApi', itemIndex), context.helpers)
		: modelServerTarget(await context.getCredentials('localLlamaApi', itemIndex), context.helpers);
}

export function modelServerTarget(
	data: ICredentialDataDecryptedObject,
	helpers?: object,
): CheckTarget {
	return { service: 'modelServer', open: () => serverOf(data, helpers) };
}

export function difyTarget(data: ICredentialDataDecryptedObject, helpers?: object): CheckTarget {
	return { service: 'dify', open: () => difyServer(data, helpers) };
}

/** @throws {ServerError} of kind `invalidUrl` or `invalidInput` */
function difyServer(data: ICredentialDataDecryptedObject, helpers?: object): DifyServer {
	const { target } = difyClient(data, helpers);
	const { keyType } = readDifyCredential(data);
	return { ...target, keyType, url: { ...target.url, root: target.url.api } };
}
