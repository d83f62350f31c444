/** The execution that a supplied chat model works for: its Stop, its token totals, its hints and errors. */
import type { NodeOperationError, ISupplyDataFunctions, INode } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import type { ChatResult } from '../../lib/chat/chat-result';
import type { InputMessage } from '../../lib/chat/input-message';
import { RunLosses } from '../../lib/n8n/run-losses';
import { TriggerFiles } from '../../lib/n8n/trigger-files';
import type { Execution } from '../../lib/n8n/visitor-message';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { CancelPoller } from '../../lib/n8n/cancel-poller';
import { addHintOnce } from '../../lib/n8n/hints';
import type { SubNode } from '../shared/items/sub-node';
import type { TokenTotals } from '../../lib/n8n/token-totals';
import {
	addFailedTokenTotals,
	storeTokenTotals,
	readTokenTotals,
} from '../../lib/n8n/token-totals';
import { findUnsentFiles } from './unsent-files';
import { NOTICEABLE_WAIT_MS } from '../shared/items/watch-loading';
import { asRecord, asString } from '../../lib/values/records';
import { getStartingChatTrigger } from '../../lib/n8n/chat-trigger';
import { createInputError } from '../../lib/errors/create-error';

type Context = Pick<ISupplyDataFunctions, 'evaluateExpression' | 'getChatTrigger'> & {
	isStreaming?(): boolean;
};

/** All that generating needs of n8n. */
export class ChatExecution {
	private readonly poller: CancelPoller;

	constructor(private readonly subNode: SubNode) {
		this.poller = new CancelPoller(subNode.context);
	}

	/** Aborts when the execution is stopped. */
	get stopSignal(): AbortSignal | undefined {
		return this.poller.signal;
	}

	/**
	 * Looks for Stop until the work is over.
	 *
	 * @returns a function to call when the work is over
	 */
	beginWork(): () => void {
		return this.poller.begin();
	}

	/** Tokens of all models of the execution so far. */
	readTotals(): TokenTotals {
		return readTokenTotals(this.subNode.context);
	}

	/**
	 * Adds a result to the totals, and shows its warnings.
	 *
	 * @param summary shown above the response; empty if there is nothing to say
	 */
	report(result: ChatResult, summary: string): void {
		const { context } = this.subNode;
		storeTokenTotals(context, result);
		for (const message of [...result.warnings, getStreamingHint(context, result.totalMs)])
			if (message) addHintOnce(context, message);
		if (summary) addHintOnce(context, summary, 'info');
	}

	/**
	 * Compares what the root node passes on with what a person put in: names the files that are missing.
	 *
	 * @throws {ServerError} for a message of the user without words and files
	 */
	checkInput(messages: readonly InputMessage[]): void {
		const { context, itemIndex } = this.subNode;
		const { parentNode }: Execution = context;
		assertQuestion(messages, parentNode);
		// Of several items, n8n does not say which one a request is for.
		if (parentNode === undefined || this.hasSeveralItems()) return;
		const files = new TriggerFiles(context, parentNode.name).ofItem(itemIndex);
		const losses = new RunLosses();
		losses.add('unsentFile', ...findUnsentFiles(files, messages, parentNode));
		for (const message of losses.describe()) addHintOnce(context, message);
	}

	private hasSeveralItems(): boolean {
		const { context } = this.subNode;
		const items = tryOrUndefined(() => context.getInputData(0, NodeConnectionTypes.Main));
		return (items?.length ?? 0) > 1;
	}

	/** Adds the tokens of a failed generation to the totals, and gives its error the form that n8n shows. */
	reportError(error: unknown): NodeOperationError {
		addFailedTokenTotals(this.subNode.context, error);
		return this.subNode.toError(error);
	}

	/** Ends the execution's use of the model. */
	close(): void {
		this.poller.close();
	}
}

/**
 * The hint about a chat that could stream and does not: suggests to enable streaming if it stayed empty while its response
 * was generated. Undefined if that took little time, if the response was streamed, and if the execution did not start in a
 * chat.
 */
export function getStreamingHint(context: Context, totalMs: number): string | undefined {
	if (totalMs <= NOTICEABLE_WAIT_MS || context.isStreaming?.() !== false) return undefined;
	const trigger = getStartingChatTrigger(context);
	if (!trigger) return undefined;
	const { responseMode } = asRecord(trigger.parameters.options);
	if (responseMode !== undefined && responseMode !== 'lastNode') return undefined;
	return `The chat showed nothing for ${Math.round(totalMs / 1000)} seconds. In "${trigger.name}", set Options → Response Mode to Streaming, so that the AI Agent streams its response.`;
}

/**
 * Checks the message that is to be answered: a model would answer a question without words with something invented.
 *
 * @param rootNode undefined if n8n does not say which node uses the model
 * @throws {ServerError} of type `invalidInput` if it is from the user and has neither words nor files
 */
function assertQuestion(messages: readonly InputMessage[], rootNode: INode | undefined): void {
	const last = messages.at(-1);
	if (last?.type !== 'human' || !isBlank(last)) return;
	const owner = rootNode === undefined ? 'the node that uses this model' : `"${rootNode.name}"`;
	throw createInputError(
		'The question is empty',
		`Fill in the prompt of ${owner}, or correct its expression. In a tool of an agent, let the model fill it in: the button with the stars beside the field.`,
	);
}

function isBlank({ content, files = [] }: InputMessage): boolean {
	return (
		files.length === 0 &&
		content.every(({ block }) => {
			const { type, text } = asRecord(block);
			const words = asString(block) ?? (type === 'text' ? asString(text) : undefined);
			return words !== undefined && words.trim() === '';
		})
	);
}
