import { LoggerProxy } from 'n8n-workflow';

import { unsupportedN8n } from '../supported-n8n';
import { messageOf, quietly } from '../values';

/** What this package uses of n8n's `@n8n/ai-node-sdk`. */
export type AiNodeSdk = typeof import('@n8n/ai-node-sdk');

/**
 * The host's SDK. Loaded with `module.require`, not imported, so that an n8n without it gets an error that says what to
 * do, not "Cannot find module".
 *
 * @throws {Error} when this n8n brings no SDK
 */
export function loadSdk(
	requireModule: (name: string) => unknown = (name) => module.require(name),
): AiNodeSdk {
	const sdk = quietly(() => requireModule('@n8n/ai-node-sdk') as AiNodeSdk);
	if (sdk === undefined) throw new Error(unsupportedN8n('this n8n has no @n8n/ai-node-sdk'));
	if (typeof sdk.supplyModel !== 'function')
		throw new Error(unsupportedN8n('its @n8n/ai-node-sdk has no supplyModel'));
	return sdk;
}

/**
 * Called when a node file is loaded. Logs and does not throw, because an error while loading would keep n8n from
 * starting. The node throws the same message when it is used.
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
