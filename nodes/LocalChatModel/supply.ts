import { type ISupplyDataFunctions, NodeConnectionTypes, type SupplyData } from 'n8n-workflow';
import { createModelServer } from '../../lib/servers/model-server';
import { NodeParameters } from '../shared/parameters';
import { readPriority } from '../shared/timeout-fields';
import { supplySubNode } from '../shared/sub-node-log';
import { supplyModel } from '../shared/supply-model';
import { properties } from './fields';
import { readSettings } from './settings';
import { withTokenBudget } from './token-budget';
import { withToolLimit } from '../../lib/chat/tool-selection';
import { assertValidParameters } from '../../lib/chat/parameters';
import { runTurn } from '../../lib/chat/turn';
import type { ChatGenerator, ChatSettings } from '../../lib/chat/types';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { withResolvedModel } from '../shared/resolve-model';

/** Supplies the chat model, see `supplyModel`. */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplySubNode(
		context,
		NodeConnectionTypes.AiLanguageModel,
		itemIndex,
		async (log) => {
			const credentials = await context.getCredentials('localLlamaApi', itemIndex);
			const parameters = new NodeParameters(context, itemIndex, properties);
			const server = createModelServer(credentials, context.helpers);
			const settings = { ...readSettings(parameters), priority: readPriority(context, parameters) };
			const maxTools = parameters.number('options.maxTools', 0);
			const budget = parameters.number('options.tokenBudget', 0);
			const generate = createChatGenerator(server, settings);
			const limitedGenerate = maxTools === 0 ? generate : withToolLimit(generate, maxTools);
			return await supplyModel(context, {
				generate:
					budget === 0 ? limitedGenerate : withTokenBudget(limitedGenerate, context, budget),
				settings: {
					model: settings.model,
					baseUrl: server.url.api,
					serverType: server.configuredType ?? 'auto',
					options: { ...settings.parameters, ...settings.timeouts, retries: settings.retries },
				},
				toError: (error) => log.nodeError(error),
				jsonOutput: ['jsonObject', 'jsonSchema'].includes(
					settings.parameters.responseFormat?.type ?? '',
				),
			});
		},
	);
}

/**
 * Uses the selected model, otherwise the only model of the server. That model is looked up with a request, not while n8n
 * builds the model: only a failed request lets an agent's Fallback Model take over.
 *
 * @throws {ServerError} of type `invalidInput` for an invalid option, immediately
 */
function createChatGenerator(server: ModelServer, settings: ChatSettings): ChatGenerator {
	assertValidParameters(settings.parameters);
	return async (chatRequest, onDelta) => {
		const resolved = await withResolvedModel(settings, server, 'chat', chatRequest.signal);
		return await runTurn(server, resolved, chatRequest, onDelta);
	};
}
