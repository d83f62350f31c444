/** One attempt of a turn: the body of a request, and what its response means. */
import { withoutFields } from '../exchange/body-changes';
import type { Attempt, RoutedDraft, PartialOutput } from '../exchange/attempt';
import type { AttemptOutcome } from '../exchange/types';
import { yieldToEventLoop } from '../http/yield-to-event-loop';
import type { HttpResponse } from '../http/types';
import { getProfile } from '../servers/profile';
import { createQuotationCheck } from '../text/calls/quotations';
import type { JsonRecord } from '../values/records';
import { collectTexts } from '../values/text';
import { getSentMaxTokens } from './body/generation-fields';
import { toOllamaBody } from './body/ollama-body';
import { toOpenAiBody } from './body/openai-body';
import { selectCallableTools } from './body/wire-tools';
import { isJsonRequested, isThinkingOff } from './settings';
import { createChatCompletionError } from './check/chat-completion-error';
import type { ValidatedCompletion } from './check/validate-completion';
import { validateCompletion } from './check/validate-completion';
import { fitsSchema } from './check/validate-json';
import { showsTextAtEnd } from './turn-context';
import type { ReaderOptions } from './read/completion-reader';
import { CompletionReader } from './read/completion-reader';
import { createReasoningStartTracker } from './read/reasoning-start-tracker';
import { addUsage } from './read/usage';
import { getTextsOfOthers } from './request-texts';
import { getFullNames } from './tools/tool-finder';
import type { TurnContext } from './turn-context';
import type { Completion, CompletionRequest } from './completion';
import type { Usage } from './chat-result';

/** What an attempt found out besides its completion. */
export interface AttemptReport {
	/** URL that responded; empty before a response. */
	url: string;
	/** Milliseconds from the start of the turn to the first token; 0 for a response as one JSON object. */
	firstTokenMs: number;
	/** Also of responses that could not be used. */
	usage?: Usage;
	/** Whether the last response began inside its thinking, so that this one was held back until its thinking ended. */
	lastStartedInReasoning: boolean;
	/** The warning about a response whose thinking was shown. */
	reasoningWarning?: string;
}

const ANSWER_IN_THINKING =
	'The server sent the whole answer as thinking, so it was taken as the answer. Check the reasoning parser of the server.';

/** One request of a turn: the exchange calls its methods in this order. */
export class ChatAttempt implements Attempt<CompletionRequest, ValidatedCompletion> {
	private reader: CompletionReader | undefined;
	private currentReport: AttemptReport = {
		url: '',
		firstTokenMs: 0,
		lastStartedInReasoning: false,
	};

	constructor(
		private readonly turn: TurnContext,
		private readonly routedDraft: RoutedDraft<CompletionRequest>,
	) {}

	/** What is known until now. */
	get report(): Readonly<AttemptReport> {
		return this.currentReport;
	}

	toBody(): JsonRecord {
		const { draft, route } = this.routedDraft;
		return route === 'ollamaChat' ? toOllamaBody(draft) : toOpenAiBody(draft, this.turn.serverType);
	}

	getTextsOfOthers(body: JsonRecord): string[] {
		// Who wrote the other fields, such as stop sequences and Extra Body, is not known here.
		const fields = withoutFields(body, ['model', 'messages', 'tools']);
		return [...getTextsOfOthers(this.routedDraft.draft), ...collectTexts(fields)];
	}

	/** @throws {ServerError} for a completion that the model cannot correct */
	async receiveOutcome(
		response: HttpResponse,
		sentBody: JsonRecord,
	): Promise<AttemptOutcome<CompletionRequest, ValidatedCompletion>> {
		const { turn, routedDraft } = this;
		const { url } = response;
		const startTracker = createReasoningStartTracker(turn, routedDraft.draft);
		this.currentReport = {
			...this.currentReport,
			url,
			lastStartedInReasoning: startTracker.lastStartedInReasoning,
		};
		const completion = await this.receiveCompletion(response, {
			...startTracker.options,
			maxTokens: getSentMaxTokens(sentBody),
		});
		const { headers } = response;
		getProfile(turn.server).forgetContradictedType({
			headers,
			fingerprint: completion.fingerprint,
		});
		const reasoningWarning = startTracker.getWarning(completion);
		startTracker.storeStart(completion, reasoningWarning);
		this.currentReport.reasoningWarning ??= reasoningWarning;
		await this.yieldIfLong();
		const { draft } = routedDraft;
		const outcome = validateCompletion(turn, { completion, source: response, draft });
		await this.yieldIfLong();
		return outcome;
	}

	/** Between the steps of the work on a long response. */
	private async yieldIfLong(): Promise<void> {
		if (this.reader?.isLong === true) await yieldToEventLoop();
	}

	getPartialOutput(): PartialOutput | undefined {
		return this.reader?.partialOutput;
	}

	getShownLength(): number {
		return this.turn.display.text.length;
	}

	/** Reads the response to its end, and shows its text unless that is shown after validation. */
	private async receiveCompletion(
		response: HttpResponse,
		options: ReaderOptions,
	): Promise<Completion> {
		const { turn, currentReport } = this;
		const { display, chatRequest, startedAt } = turn;
		const isShown = !showsTextAtEnd(turn);
		const contentType = response.headers['content-type'] ?? '';
		let firstTokenMs = 0;
		const { secrets } = response.errorContext;
		this.reader = createReader(turn, this.routedDraft, { ...options, secrets });
		return await this.reader.receive(response, {
			onDelta: (delta) => {
				if (isShown) display.push(delta);
			},
			onContent: () => {
				firstTokenMs ||= performance.now() - startedAt;
			},
			findError: (completion) => {
				const { failure, usage } = completion;
				if (completion.hasAnswerInThinking) currentReport.reasoningWarning = ANSWER_IN_THINKING;
				currentReport.usage = addUsage(currentReport.usage, usage);
				currentReport.firstTokenMs = /\bjson\b/.test(contentType) ? 0 : firstTokenMs;
				return failure === undefined || failure.isCorrectable
					? undefined
					: createChatCompletionError(turn, { completion, source: response, contentType });
			},
			signal: chatRequest.signal,
		});
	}
}

function createReader(
	{ settings, chatRequest, toolNames, quotableTexts }: TurnContext,
	{ draft }: RoutedDraft<CompletionRequest>,
	options: ReaderOptions,
): CompletionReader {
	const ignoresTextCalls = settings.toolCallsInText === 'leave' || draft.toolChoice === 'none';
	const last = draft.messages.at(-1);
	const { unofferedTools = [] } = chatRequest;
	const wireTools = unofferedTools.map((tool) => ({ ...tool, name: toolNames.toWire(tool.name) }));
	const callableTools = ignoresTextCalls
		? []
		: selectCallableTools([...draft.tools, ...wireTools], draft.toolChoice);
	return new CompletionReader({
		callableNames: [...getFullNames(callableTools).keys()],
		findQuotation: createQuotationCheck(quotableTexts),
		isJson: isJsonRequested(settings.sampling),
		isThinkingOff: isThinkingOff(settings.sampling),
		fitsSchema: (text) => fitsSchema(text, settings.sampling.responseFormat),
		...options,
		// The model continues the text of a trailing assistant message.
		prefill: last?.role === 'assistant' && !last.toolCalls ? last.content : undefined,
	});
}
