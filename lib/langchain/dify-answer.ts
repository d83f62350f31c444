import type { Usage } from '../chat/types';
import { openAiUsage } from '../chat/wire/counts';
import { difyFailure } from '../dify/errors/failure';
import type { DifyAppMode, RunResult } from '../dify/types';
import type { ServerError } from '../errors/server-error';
import { type JsonRecord, optional, recordOf } from '../values';

/**
 * The text of a finished run; of a workflow, one of its outputs.
 *
 * @param outputField name of the output; empty: the only text output
 * @throws {ServerError} of kind `emptyAnswer` where that output is missing or ambiguous
 */
export function answerOf(mode: DifyAppMode, result: RunResult, outputField: string): string {
	if (mode !== 'workflow') return result.text;
	const outputs = recordOf(result.workflow?.outputs);
	const field = outputField === '' ? onlyOutput(outputs, result) : outputField;
	const value = outputs[field];
	if (outputField !== '' && !Object.hasOwn(outputs, outputField))
		throw difyFailure('emptyAnswer', {
			message: `The workflow has no output "${outputField}"`,
			remedy: `Correct Output Field in the node. It has: ${Object.keys(outputs).join(', ') || 'none'}.`,
			result,
		});
	if (typeof value === 'string') return value;
	return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** The name of the only text, or of the only output; empty where there are none. */
function onlyOutput(outputs: JsonRecord, result: RunResult): string {
	const names = Object.keys(outputs);
	const texts = names.filter((name) => typeof outputs[name] === 'string');
	const candidates = texts.length > 0 ? texts : names;
	if (candidates.length <= 1) return candidates[0] ?? '';
	throw difyFailure('emptyAnswer', {
		message: 'It is not clear which output of the workflow is the answer',
		remedy: `Choose it in the option Output Field. It has: ${names.join(', ')}.`,
		result,
	});
}

export function pausedError(result: RunResult): ServerError {
	return difyFailure('runFailed', {
		message: 'The chatflow waits for a person, and a model cannot wait',
		remedy:
			'Use Dify Chat Message for apps that ask somebody, or take the Human Input node out of the chatflow.',
		result,
	});
}

export function emptyError(result: RunResult): ServerError {
	return difyFailure('emptyAnswer', {
		message: 'The Dify app gave an empty answer',
		remedy:
			'Look at the log of the app in Dify. An app that says nothing on purpose needs the option Allow Empty Answers.',
		result,
	});
}

/** Undefined where Dify counts only one side, as for a workflow: n8n then keeps its estimate. */
export function usageOf({ usage }: RunResult): Usage | undefined {
	const { prompt_tokens: prompt, completion_tokens: completion } = recordOf(usage);
	return typeof prompt === 'number' && completion ? openAiUsage(usage) : undefined;
}

/** What the execution log shows of a run besides its text. */
export function logOf(result: RunResult, mode: DifyAppMode): JsonRecord {
	const { conversationId, messageId, workflowRunId, thoughts, retrieverResources } = result;
	const log: JsonRecord = {
		app: mode,
		...optional({ conversationId, messageId, workflowRunId }),
	};
	if (thoughts.length > 0) log.thoughts = thoughts;
	if (retrieverResources.length > 0) log.retrieverResources = retrieverResources;
	return log;
}
