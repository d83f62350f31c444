import { type ISupplyDataFunctions, NodeConnectionTypes, type SupplyData } from 'n8n-workflow';
import { isJsonRequested } from '../../lib/chat/parameters';
import { withToolLimit } from '../../lib/chat/tool-selection';
import { runTurn } from '../../lib/chat/turn';
import type { ChatGenerator, ChatResult } from '../../lib/chat/types';
import { findHostClasses, loadSdk } from '../../lib/langchain/host-classes';
import {
	createTracerWithoutTokenizer,
	getLocalChatModelClass,
} from '../../lib/langchain/local-chat-model';
import { createSdkChatModel } from '../../lib/langchain/sdk-chat-model';
import { createModelServer } from '../../lib/servers/model-server';
import { CancelPoller } from '../shared/cancel-poller';
import { NodeParameters } from '../shared/parameters';
import { withResolvedModel } from '../shared/resolve-model';
import { addHintOnce } from '../shared/run/hints';
import { supplySubNode, type SubNodeLog } from '../shared/sub-node-log';
import { readPriority } from '../shared/timeout-fields';
import { addFailedTokenTotals, addTokenTotals } from '../shared/token-totals';
import { properties } from './fields';
import { readSettings } from './settings';
import { getStreamingHint } from './streaming-hint';
import { withTokenBudget } from './token-budget';

/** Supplies the chat model of an item. */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplySubNode(
		context,
		NodeConnectionTypes.AiLanguageModel,
		itemIndex,
		async (log) => await buildChatModel(context, itemIndex, log),
	);
}

/**
 * Builds the model on the host's own LangChain classes, or on the SDK's adapter if those have changed.
 *
 * @throws {ServerError} of type `invalidInput` for an invalid option
 */
async function buildChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
	log: SubNodeLog,
): Promise<SupplyData> {
	const credentials = await context.getCredentials('localLlamaApi', itemIndex);
	const parameters = new NodeParameters(context, itemIndex, properties);
	const server = createModelServer(credentials, context.helpers);
	const settings = { ...readSettings(parameters), priority: readPriority(context, parameters) };
	// An empty model is looked up with a request: only a failed request lets an agent's Fallback Model take over.
	const generateUnlimited: ChatGenerator = async (chatRequest, onDelta) => {
		const resolved = await withResolvedModel(settings, server, 'chat', chatRequest.signal);
		return await runTurn(server, resolved, chatRequest, onDelta);
	};
	const generate = withTokenBudget(
		withToolLimit(generateUnlimited, parameters.number('options.maxTools', 0)),
		context,
		parameters.number('options.tokenBudget', 0),
	);
	const toError = (error: unknown) => {
		addFailedTokenTotals(context, error);
		return log.nodeError(error);
	};
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if (host.type === 'missing') {
		context.logger.warn(
			`${context.getNode().name}: this n8n version has a different structure (${host.missing}), so the SDK adapter is used. Images, thinking and timings are lost.`,
		);
		return sdk.supplyModel(context, createSdkChatModel(generate, settings.model, sdk, toError));
	}
	const Model = getLocalChatModelClass(host.classes);
	const Tracing = createTracerWithoutTokenizer(host.classes.N8nLlmTracing);
	const poller = new CancelPoller(context);
	const response = new Model({
		generate,
		toJsonSchema: sdk.getParametersJsonSchema,
		callbacks: [
			new Tracing(context, {
				errorDescriptionMapper: ({ description }: { description?: string }) => description,
			}),
		],
		nodeSignal: poller.signal,
		watchCancel: () => poller.begin(),
		toError,
		onFinished: (result) => reportResult(context, result),
		settings: {
			model: settings.model,
			baseUrl: server.getApiUrl(),
			serverType: server.configuredType ?? 'auto',
			options: { ...settings.parameters, ...settings.timeouts, retries: settings.retries },
		},
		jsonOutput: isJsonRequested(settings.parameters),
	});
	return { response, closeFunction: async () => await Promise.resolve(poller.close()) };
}

function reportResult(context: ISupplyDataFunctions, result: ChatResult): void {
	addTokenTotals(context, result);
	const streamingHint = getStreamingHint(context, result.totalMs);
	const hints = streamingHint === undefined ? [] : [streamingHint];
	for (const message of [...result.warnings, ...hints]) addHintOnce(context, message);
}
