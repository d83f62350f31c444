/** The execution that a supplied chat model works for: its Stop, its token totals, its hints and errors. */
import type { NodeOperationError } from 'n8n-workflow';
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
import { assertQuestion } from './empty-question';
import { getStreamingHint } from './streaming-hint';
import { findUnsentFiles } from './unsent-files';

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
