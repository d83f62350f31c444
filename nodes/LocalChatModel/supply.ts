import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { isJsonRequested } from '../../lib/chat/body/openai-body';
import { withToolLimit } from '../../lib/chat/prepare/tool-selection';
import { runTurn } from '../../lib/chat/turn';
import type { ChatGenerator, ChatResult } from '../../lib/chat/types';
import { findHostClasses, loadSdk } from '../../lib/langchain/host-classes';
import type { HostGenerator } from '../../lib/langchain/local-chat-model';
import {
	getTracerWithoutTokenizer,
	getLocalChatModelClass,
} from '../../lib/langchain/local-chat-model';
import { toGenerationInfo } from '../../lib/langchain/host-data';
import { createSdkChatModel } from '../../lib/langchain/sdk-chat-model';
import { anySignal } from '../../lib/http/sleep';
import { CancelPoller } from '../shared/cancel-poller';
import { withResolvedModel } from '../shared/model-selection';
import { addHintOnce } from '../shared/run/hints';
import type { SubNodeLog } from '../shared/sub-node-log';
import { supplySubNode } from '../shared/sub-node-log';
import { addFailedTokenTotals, addTokenTotals } from '../shared/token-totals';
import { properties } from './fields';
import { omitUndefined } from '../../lib/values/records';
import { readSettings } from './settings';
import { withTokenBudget } from './token-budget';
import { getStreamingHint } from './streaming-hint';

/** Supplies the chat model of an item. */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplySubNode(
		context,
		NodeConnectionTypes.AiLanguageModel,
		itemIndex,
		async (log) => await buildChatModel(context, log),
	);
}

/**
 * Builds the model on the host's own LangChain classes, or on the SDK's adapter if those have changed.
 *
 * @throws {ServerError} of type `invalidInput` for an invalid option
 */
async function buildChatModel(context: ISupplyDataFunctions, log: SubNodeLog) {
	const { parameters, server, priority } = await log.openModelServer(properties);
	const settings = { ...readSettings(parameters), priority };
	// An empty model is looked up with a request: only a failed request lets an agent's Fallback Model take over.
	const generateUnlimited: ChatGenerator = async (chatRequest, onDelta) => {
		const resolved = await withResolvedModel(settings, {
			server,
			task: 'chat',
			signal: chatRequest.signal,
		});
		return await runTurn(server, resolved, chatRequest, onDelta);
	};
	const maxTools = parameters.number('options.maxTools', 0);
	const generateLimited = withTokenBudget(
		maxTools === 0 ? generateUnlimited : withToolLimit(generateUnlimited, maxTools),
		context,
		parameters.number('options.tokenBudget', 0),
	);
	const poller = new CancelPoller(context);
	const generate: HostGenerator = async (createRequest, onDelta) => {
		const stopPolling = poller.begin();
		let hasText = false;
		try {
			const chatRequest = createRequest();
			// Several chains pass no signal.
			const signal = anySignal(chatRequest.signal, poller.signal);
			const result = await generateLimited({ ...chatRequest, signal }, (delta) => {
				hasText = true;
				onDelta?.(delta);
			});
			reportResult(context, result);
			return result;
		} catch (error) {
			// n8n's chat appends the error to the text.
			if (hasText) onDelta?.('\n\n');
			addFailedTokenTotals(context, error);
			throw log.nodeError(error);
		} finally {
			stopPolling();
		}
	};
	const closeFunction = async () => await Promise.resolve(poller.close());
	const sdk = loadSdk();
	const host = await findHostClasses(context, sdk);
	if (host.type === 'missing') {
		context.logger.warn(
			`${context.getNode().name}: this n8n version has a different structure (${host.missing}), so the SDK adapter is used. Images, thinking and timings are lost.`,
		);
		const model = createSdkChatModel({ generate, modelId: settings.model, sdk });
		return { ...sdk.supplyModel(context, model), closeFunction };
	}
	const Model = getLocalChatModelClass(host.classes);
	const Tracing = getTracerWithoutTokenizer(host.classes.N8nLlmTracing);
	const response = new Model({
		generate,
		toJsonSchema: sdk.getParametersJsonSchema,
		callbacks: [
			new Tracing(context, {
				errorDescriptionMapper: ({ description }: { description?: string }) => description,
			}),
		],
		settings: {
			model: settings.model,
			baseUrl: server.getApiUrl(),
			serverType: server.configuredType ?? 'auto',
			options: { ...settings.parameters, ...settings.timeouts, retries: settings.retries },
		},
		jsonOutput: isJsonRequested(settings.parameters),
	});
	return { response, closeFunction };
}

function reportResult(context: ISupplyDataFunctions, result: ChatResult) {
	addTokenTotals(context, result);
	for (const message of [...result.warnings, getStreamingHint(context, result.totalMs)])
		if (message) addHintOnce(context, message);
	const summary = summarizeGeneration(result);
	if (summary) addHintOnce(context, summary, 'info');
}

/** n8n's log shows it above the response. All other fields are visible only as JSON, below the text. */
function summarizeGeneration(result: ChatResult) {
	const { tokensPerSecond, cachedTokens } = toGenerationInfo(result);
	const parts = omitUndefined({
		'Tokens per second': tokensPerSecond,
		'cached tokens': cachedTokens,
		'characters of thinking': result.reasoning.length || undefined,
	});
	return Object.entries(parts)
		.map(([label, value]) => `${label}: ${String(value)}`)
		.join(', ');
}
