/** The generator of Local Chat Model: runs turns within the limits of its settings, and reports each to n8n. */
import { withToolLimit } from '../../lib/chat/prepare/tool-limit';
import { runTurn } from '../../lib/chat/turn';
import type { ChatGenerator } from '../../lib/chat/chat-request';
import type { ChatResult } from '../../lib/chat/chat-result';
import type { ChatSettings } from '../../lib/chat/settings';
import { anySignal } from '../../lib/http/abort';
import { toGenerationInfo } from '../../lib/langchain/host-data';
import type { HostGenerator } from '../../lib/langchain/host-generator';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { round } from '../../lib/values/numbers';
import { omitUndefined } from '../../lib/values/records';
import { withResolvedModel } from '../shared/fields/model-selection';
import type { ChatExecution } from './execution';
import type { GenerationLimits } from './settings';
import type { TokenTotals } from '../../lib/n8n/token-totals';
import { createInputError } from '../../lib/errors/create-error';

/** What a generator needs. */
export interface GeneratorOptions {
	server: ModelServer;
	settings: ChatSettings;
	limits: GenerationLimits;
	execution: ChatExecution;
}

/** Generates within the token budget and the tool limit. */
export function createGenerator(options: GeneratorOptions): HostGenerator {
	const { execution } = options;
	const generate = withLimits(createTurnGenerator(options), options);
	return async (createRequest, onDelta) => {
		const endWork = execution.beginWork();
		let hasText = false;
		let signal = execution.stopSignal;
		try {
			const chatRequest = await createRequest();
			execution.checkInput(chatRequest.messages);
			// Several chains pass no signal.
			signal = anySignal(chatRequest.signal, execution.stopSignal);
			const result = await generate({ ...chatRequest, signal }, (delta) => {
				hasText = true;
				onDelta?.(delta);
			});
			execution.report(result, summarize(result));
			return result;
		} catch (error) {
			// n8n's chat appends the error to the text, unless it was stopped.
			if (hasText && signal?.aborted !== true) onDelta?.('\n\n');
			throw execution.reportError(error);
		} finally {
			endWork();
		}
	};
}

/** Runs a turn. An empty model is looked up with a request: only a failed request lets an agent's Fallback Model take over. */
function createTurnGenerator({ server, settings }: GeneratorOptions): ChatGenerator {
	return async (chatRequest, onDelta) => {
		const { signal } = chatRequest;
		const resolved = await withResolvedModel(settings, { server, modelTask: 'chat', signal });
		return await runTurn({ server, settings: resolved, chatRequest, onDelta });
	};
}

function withLimits(
	generate: ChatGenerator,
	{ limits: { maxTools, tokenBudget }, execution }: GeneratorOptions,
): ChatGenerator {
	const limited = maxTools === 0 ? generate : withToolLimit(generate, maxTools);
	if (tokenBudget === 0) return limited;
	return withTokenBudget(limited, tokenBudget, () => execution.readTotals());
}

/**
 * n8n's log shows it above the response, which is empty beside calls. All other fields are visible only as JSON, below the
 * text, and the subtitle of a node without a selected model names none.
 */
function summarize(result: ChatResult): string {
	const { tokensPerSecond, cachedTokens, modelName } = toGenerationInfo(result);
	const { usage, totalMs, reasoning, toolCalls } = result;
	const parts = omitUndefined({
		'tokens per second': tokensPerSecond,
		'cached tokens': cachedTokens,
		'characters of thinking': reasoning.length || undefined,
		model: modelName,
		'prompt tokens': usage?.promptTokens,
		'response tokens': usage?.completionTokens,
		seconds: round(totalMs / 1000, 1),
		calls: toolCalls.map(({ name }) => name).join(' and ') || undefined,
	});
	const summary = Object.entries(parts)
		.map(([label, value]) => `${label}: ${String(value)}`)
		.join(', ');
	return summary.charAt(0).toUpperCase() + summary.slice(1);
}

/** Ends an execution that has used up its token budget. */
const UNCOUNTED =
	'The server does not report token counts, so Execution Token Budget cannot limit this execution.';

/**
 * Fails if the execution has used its tokens. The response that exceeds the budget is still returned.
 *
 * @param budget tokens of all prompts and responses of the execution
 * @param readTotals reads the tokens that the execution has used so far
 * @throws {ServerError} of type `invalidInput` before anything is sent, if nothing is left
 */
export function withTokenBudget(
	generate: ChatGenerator,
	budget: number,
	readTotals: () => TokenTotals,
): ChatGenerator {
	return async (chatRequest, onDelta) => {
		const { tokensIn, tokensOut } = readTotals();
		const used = tokensIn + tokensOut;
		if (used >= budget)
			throw createInputError(
				`The Execution Token Budget is used up: ${used} of ${budget} tokens`,
				'If an agent calls tools in a loop, lower its Max Iterations or give it clearer tools. Otherwise raise Execution Token Budget in the options of the model.',
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
