import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { isJsonRequested } from '../../lib/chat/openai-body';
import { withToolLimit } from '../../lib/chat/tool-selection';
import { runTurn } from '../../lib/chat/turn';
import type {
	ChatGenerator,
	ChatResult,
	ChatSettings,
	ThinkingHistory,
} from '../../lib/chat/types';
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
import type { NodeParameters, Field } from '../shared/parameters';
import { asBoolean, asText } from '../shared/parameters';
import { withResolvedModel } from '../shared/model-selection';
import { addHintOnce, NOTICEABLE_WAIT_MS } from '../shared/run/hints';
import type { SubNodeLog } from '../shared/sub-node-log';
import { supplySubNode } from '../shared/sub-node-log';
import { GENERATION_RETRIES, readRequestSettings } from '../shared/timeout-fields';
import { addFailedTokenTotals, addTokenTotals, readTokenTotals } from '../shared/token-totals';
import { properties, traceFields } from './fields';
import { asRecord, omitUndefined, isUnset } from '../../lib/values/records';
import { tryOrUndefined } from '../../lib/values/attempt';
import { createInputError } from '../../lib/errors/server-error';
import { readGeneration, readResponseFormat, readThinking } from '../shared/chat/generation';
import { splitNames } from '../shared/binary';
import type { TraceSettings } from '../../lib/tracing/span';

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
 * Throws a `ServerError` of type `invalidInput` for an invalid option.
 */
async function buildChatModel(context: ISupplyDataFunctions, log: SubNodeLog) {
	const { parameters, server, priority } = await log.openModelServer(properties);
	const settings = { ...readSettings(parameters), priority };
	// An empty model is looked up with a request: only a failed request lets an agent's Fallback Model take over.
	const generateUnlimited: ChatGenerator = async (chatRequest, onDelta) => {
		const resolved = await withResolvedModel(settings, server, 'chat', chatRequest.signal);
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
		const model = createSdkChatModel(generate, settings.model, sdk);
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

const UNCOUNTED =
	'The server does not report token counts, so Token Budget cannot limit this execution.';

/**
 * Fails if the execution has used its tokens, unless the budget is 0. The response that exceeds the budget is still returned.
 *
 * `budget`: tokens of all prompts and responses of the execution.
 * Throws a `ServerError` of type `invalidInput` before anything is sent, if nothing is left.
 */
export function withTokenBudget(
	generate: ChatGenerator,
	context: object,
	budget: number,
): ChatGenerator {
	if (budget === 0) return generate;
	return async (chatRequest, onDelta) => {
		const { tokensIn, tokensOut } = readTokenTotals(context);
		const used = tokensIn + tokensOut;
		if (used >= budget)
			throw createInputError(
				`The Token Budget of this execution is used up: ${used} of ${budget} tokens`,
				'If an agent calls tools in a loop, lower its Max Iterations or give it clearer tools. Otherwise raise Token Budget in the options of the model.',
				{
					detail: `The models of this execution have read ${tokensIn} tokens and generated ${tokensOut}. No further request was sent.`,
					facts: { tokensIn, tokensOut, tokenBudget: budget },
				},
			);
		const result = await generate(chatRequest, onDelta);
		if (!result.usage) result.warnings.push(UNCOUNTED);
		return result;
	};
}

type Context = Pick<ISupplyDataFunctions, 'evaluateExpression' | 'getChatTrigger'> & {
	isStreaming?(): boolean;
};

/**
 * Suggests to enable streaming if a chat stayed empty while its response was generated. Undefined if that took little
 * time, if the response was streamed, and if the execution did not start in a chat.
 */
export function getStreamingHint(context: Context, totalMs: number): string | undefined {
	if (totalMs <= NOTICEABLE_WAIT_MS || context.isStreaming?.() !== false) return undefined;
	const trigger = tryOrUndefined(() => context.getChatTrigger());
	if (!trigger) return undefined;
	const { responseMode } = asRecord(trigger.parameters.options);
	const respondsWhenFinished = responseMode === undefined || responseMode === 'lastNode';
	// n8n adds the "=" itself.
	const expression = `{{ $(${JSON.stringify(trigger.name)}).isExecuted }}`;
	const isExecuted = tryOrUndefined(() => context.evaluateExpression(expression, 0)) === true;
	if (!respondsWhenFinished || !isExecuted) return undefined;
	return `The chat showed nothing for ${Math.round(totalMs / 1000)} seconds. In "${trigger.name}", set Options → Response Mode to Streaming, so that the AI Agent streams its response.`;
}

/**
 * Reads the node's parameters, which expressions may return with any type.
 *
 * Throws a `ServerError` of type `invalidInput` naming the field.
 */
export function readSettings(parameters: NodeParameters): ChatSettings {
	return {
		model: parameters.string('model'),
		parameters: {
			...readGeneration(parameters),
			thinking: readThinking(parameters),
			responseFormat: readResponseFormat(parameters),
		},
		thinkingHistory: parameters.choice<ThinkingHistory>('options.thinkingHistory', 'toolTurns'),
		showThinking: parameters.boolean('options.showThinking', false),
		toolCallsInText: parameters.choice<'read' | 'leave'>('options.toolCallsInText', undefined),
		historyBudget: parameters.number('options.historyBudget', undefined),
		trace: readTrace(parameters),
		...readRequestSettings(parameters, GENERATION_RETRIES),
	};
}

/** Throws a `ServerError` of type `invalidInput` naming the field. */
function readTrace(parameters: NodeParameters): TraceSettings | undefined {
	const trace = asRecord(parameters.value('options.trace'));
	const settings = traceFields
		.filter(({ name }) => !isUnset(trace[name]))
		.map(({ name, displayName }) => {
			return [name, readTraceField({ label: `Trace: ${displayName}` }, name, trace[name])];
		});
	return settings.length === 0 ? undefined : Object.fromEntries(settings);
}

function readTraceField(field: Field, name: string, value: unknown): unknown {
	if (name === 'recordTexts') return asBoolean(field, value);
	const text = [value].flat().map((entry) => asText(field, entry));
	const tags = splitNames(text.join(','));
	return name === 'tags' ? tags : text.map((entry) => entry.trim()).find(Boolean);
}
