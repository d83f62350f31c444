import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';

import { ChatClient } from '../../lib/chat/client';
import { harvestHost } from '../../lib/langchain/host';
import { localChatModelClass } from '../../lib/langchain/local-chat-model';
import { loadSdk } from '../../lib/langchain/sdk';
import { sdkChatModel } from '../../lib/langchain/sdk-chat-model';
import { localLlamaConnection } from '../../lib/servers/credential';
import { toNodeError } from '../../lib/errors/node-error';
import { NodeParameters } from '../shared/parameters';
import { properties } from './fields';
import { readSettings } from './settings';

/**
 * The model that the node supplies: on the host's own LangChain classes, or where those changed, through the SDK's
 * adapter.
 */
export async function supplyChatModel(context: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
	const toError = (error: unknown) => toNodeError(context.getNode(), error, { itemIndex, subNode: true });
	try {
		const sdk = loadSdk();
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const connection = localLlamaConnection(credentials, context.helpers);
		const settings = readSettings(new NodeParameters(context, itemIndex, properties));
		const client = new ChatClient(connection, settings);
		const harvest = await harvestHost(context, sdk);
		if ('missing' in harvest) {
			context.logger.warn(
				`Local Chat Model: this version of n8n is built differently (${harvest.missing}), so the SDK's adapter is used. Pictures, thinking and timings are lost.`,
			);
			return sdk.supplyModel(context, sdkChatModel(client, sdk, toError));
		}
		const { classes } = harvest;
		const LocalChatModel = localChatModelClass(classes);
		const told = new Set<string>();
		return {
			response: new LocalChatModel({
				client,
				toJsonSchema: sdk.getParametersJsonSchema,
				callbacks: [
					new classes.N8nLlmTracing(context, {
						errorDescriptionMapper: ({ description }: { description?: string }) => description,
					}),
				],
				nodeSignal: context.getExecutionCancelSignal(),
				toError,
				onNotes: (notes) => {
					for (const message of notes.filter((note) => !told.has(note))) {
						told.add(message);
						context.addExecutionHints({ message, location: 'outputPane', type: 'warning' });
					}
				},
				settings: {
					model: settings.model,
					baseUrl: connection.url.api,
					serverType: settings.serverKind,
					options: { ...settings.parameters, ...settings.limits, retries: settings.retries },
				},
				jsonOutput: ['jsonObject', 'jsonSchema'].includes(settings.parameters.responseFormat?.type ?? ''),
			}),
		};
	} catch (error) {
		throw toError(error);
	}
}
