import { LoggerProxy } from 'n8n-workflow';

import { unsupportedN8n } from '../supported-n8n';
import { messageOf, quietly } from '../values';

/** What this package uses of n8n's `@n8n/ai-node-sdk`. */
export type AiNodeSdk = typeof import('@n8n/ai-node-sdk');

/**
 * The host's SDK. Taken with `module.require` in place of an import, so that an n8n without it fails with a sentence
 * that says what to do; a failing import would end in "Cannot find module".
 *
 * @throws {Error} when this n8n brings no SDK
 */
export function loadSdk(requireModule: (name: string) => unknown = (name) => module.require(name)): AiNodeSdk {
	const sdk = quietly(() => requireModule('@n8n/ai-node-sdk') as AiNodeSdk);
	if (sdk === undefined) throw new Error(unsupportedN8n('this n8n has no @n8n/ai-node-sdk'));
	if (typeof sdk.supplyModel !== 'function') throw new Error(unsupportedN8n('its @n8n/ai-node-sdk has no supplyModel'));
	return sdk;
}

/**
 * To be called when a node file is loaded. It logs and does not throw: an error while loading would keep the whole n8n
 * from starting; the node raises the same sentence when it is used.
 */
export function reportUnsupportedHost(requireModule?: (name: string) => unknown): void {
	const lacking = missingSdk(requireModule);
	if (lacking !== undefined) LoggerProxy.error(lacking);
}

/** Why this n8n cannot run the nodes for agents and chains; undefined where it can. */
export function missingSdk(requireModule?: (name: string) => unknown): string | undefined {
	try {
		loadSdk(requireModule);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}
