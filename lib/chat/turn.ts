/** One turn of a chat: prepares the conversation, requests a completion, and gives it the form that n8n needs. */
import { assertModelName } from '../servers/model-names';
import { getProfile } from '../servers/profile';
import type { ModelServer } from '../servers/types/server-type';
import { buildCompletionRequest } from './body/completion-request';
import { isThinkingOmitted } from './body/generation-fields';
import { isJsonRequested, isThinkingOff } from './settings';
import type { ValidatedCompletion } from './check/validate-completion';
import { showsTextAtEnd } from './turn-context';
import { getText } from './content';
import { countCorrections, toLogFields } from './log-fields';
import { assertCapabilities } from './prepare/capabilities';
import { assertNeededTools, describeUnusableTools } from './prepare/unusable-tools';
import type { PreparedMessages } from './prepare/prepare-messages';
import { prepareMessages } from './prepare/prepare-messages';
import { withSchemaInstruction } from './prepare/schema-instruction';
import { getQuotableTexts } from './request-texts';
import { DisplayedText } from './read/displayed-text';
import { estimateUsage, sumUsage } from './read/usage';
import { requestCompletion } from './request-completion';
import { cacheToolCalls } from './tools/tool-call-cache';
import { createToolCallIds } from './tools/tool-call-ids';
import { createToolNames } from './tools/tool-names';
import { traceTurn } from './trace-turn';
import { collectResponseWarnings } from './turn-warnings';
import type { TurnContext } from './turn-context';
import type { ChatRequest, RequestedFormat } from './chat-request';
import type { ChatResult } from './chat-result';
import type { ToolCall } from './chat-message';
import type { ChatSettings, JsonSchemaFormat } from './settings';

/** What a turn needs. */
export interface TurnOptions {
	server: ModelServer;
	settings: ChatSettings;
	chatRequest: ChatRequest;
	/** Called with the text as it arrives. Default: nobody sees it. */
	onDelta?(delta: string): void;
}

/**
 * Runs one turn.
 *
 * @throws {ServerError} with the received text in `partialText` and `partialReasoning`
 */
export async function runTurn(options: TurnOptions): Promise<ChatResult> {
	const { server, chatRequest, onDelta = () => {} } = options;
	assertModelName(options.settings.model);
	const settings = toTurnSettings(options.settings, chatRequest);
	assertNeededTools(chatRequest);
	const prepared = prepareMessages(withSchemaInstruction(chatRequest), settings);
	const startedAt = performance.now();
	const tracedTurn = { server, settings, messages: prepared.messages, startedAt };
	return await traceTurn(tracedTurn, async (tracedServer) => {
		const tracedOptions = { server: tracedServer, settings, chatRequest, onDelta };
		const turn = await createTurnContext(tracedOptions, prepared, startedAt);
		return await completeTurn(turn, prepared);
	});
}

/** The settings with the stop texts and the format of this call, and the name of the model without blanks around it. */
function toTurnSettings(settings: ChatSettings, chatRequest: ChatRequest): ChatSettings {
	const { model, sampling } = settings;
	const { requestedFormat } = chatRequest;
	const stop = [...new Set([...(sampling.stop ?? []), ...(chatRequest.stop ?? [])])];
	return {
		...settings,
		model: model.trim(),
		sampling: {
			...sampling,
			...(stop.length === 0 ? {} : { stop }),
			...(requestedFormat && { responseFormat: toResponseFormat(requestedFormat) }),
		},
	};
}

function toResponseFormat({ schema, name }: RequestedFormat): JsonSchemaFormat {
	return { type: 'jsonSchema', schema, name, isInPrompt: true };
}

async function createTurnContext(
	{ server, settings, chatRequest, onDelta }: Required<TurnOptions>,
	{ messages }: PreparedMessages,
	startedAt: number,
): Promise<TurnContext> {
	const { tools = [], unofferedTools = [], signal } = chatRequest;
	const connectedTools = [...tools, ...unofferedTools];
	const { sampling, showThinking } = settings;
	const showsThinking = showThinking && !isThinkingOff(sampling) && !isJsonRequested(sampling);
	return {
		server,
		serverType: await getProfile(server).fetchType(signal),
		settings,
		chatRequest,
		toolNames: createToolNames(connectedTools),
		quotableTexts: getQuotableTexts({ messages, tools: connectedTools }),
		display: new DisplayedText(showsThinking, onDelta),
		cutCalls: [],
		startedAt,
	};
}

/** From the prepared messages to the result. */
async function completeTurn(
	turn: TurnContext,
	{ messages, warnings: historyWarnings }: PreparedMessages,
): Promise<ChatResult> {
	const { server, settings, chatRequest, display, startedAt } = turn;
	const profile = getProfile(server);
	const props = await profile.fetchProps(settings.model, chatRequest.signal);
	await assertCapabilities(turn, messages, props);
	const templateTokens = await profile.fetchTemplateTokens(
		settings.model,
		props,
		chatRequest.signal,
	);
	const template = { ...props, templateTokens };
	const { draft, warnings: draftWarnings } = buildCompletionRequest(turn, messages, template);
	const result = await requestCompletion(turn, draft);
	const { value: completion, reports, queueStats, appliedRules, omittedFields, waits } = result;
	const { url, firstTokenMs, lastStartedInReasoning, reasoningWarning } = reports.at(-1)!;
	finishDisplay(turn, completion);
	const toolCalls = toOriginalCalls(turn, completion);
	cacheToolCalls({ ...completion, toolCalls });
	const unusableWarning = describeUnusableTools(chatRequest.unusableTools ?? []);
	const texts = messages.map(({ content }) => getText(content));
	return {
		text: display.text,
		reasoning: completion.reasoning,
		json: completion.json,
		toolCalls,
		finishReason: completion.finishReason,
		usage: sumUsage(reports) ?? estimateUsage(completion, texts),
		timings: completion.timings,
		model: completion.model,
		warnings: [
			...historyWarnings,
			...(unusableWarning === undefined ? [] : [unusableWarning]),
			...draftWarnings,
			...result.warnings,
			...completion.warnings,
			...(await collectResponseWarnings(turn, {
				completion,
				reasoningWarning,
				isThinkingOmitted: isThinkingOmitted(omittedFields),
				texts,
			})),
		],
		url,
		serverType: profile.getRecognizedName(),
		firstTokenMs,
		totalMs: performance.now() - startedAt,
		corrections: countCorrections(appliedRules),
		timesPreempted: queueStats.timesPreempted || undefined,
		logFields: toLogFields({ queueStats, appliedRules, waits, lastStartedInReasoning }),
	};
}

/** Ends the display of the last attempt. A text that had to wait until it was complete and valid is shown before. */
function finishDisplay(turn: TurnContext, completion: ValidatedCompletion): void {
	if (showsTextAtEnd(turn)) turn.display.push(completion);
	turn.display.endAttempt();
}

/** The calls with the original names of the tools, and IDs that are unique in n8n. */
function toOriginalCalls(
	{ toolNames }: TurnContext,
	{ toolCalls }: ValidatedCompletion,
): ToolCall[] {
	const ids = createToolCallIds(toolCalls.map(({ id }) => id));
	return toolCalls.map((toolCall, index) => ({
		id: ids[index]!,
		name: toolNames.toOriginal(toolCall.name),
		arguments: toolCall.arguments,
	}));
}
