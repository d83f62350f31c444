import { partialResultOf } from '../../lib/dify/errors';
import { withWholeUrl } from '../../lib/dify/files/output-files';
import type { HumanForm, RunResult } from '../../lib/dify/types';
import { append, filled, isRecord, mapValues, optional } from '../../lib/values';
import { plain } from '../shared/dify/plain-object';
import { resultFiles } from '../shared/dify/result-files';
import type { DifyCall } from '../shared/dify/dify-operation';
import { pausedError } from '../shared/dify/run-request';
import type { OperationItem } from '../shared/run/operations';

/** Optional parts of the item beside the outputs. */
type IncludedPart = 'files' | 'nodes' | 'text';

/** Contents of the item, and what counts as a failure. */
interface RunOutput {
	simplify: boolean;
	include: readonly IncludedPart[];
	onFailure: 'error' | 'return';
	onPause: 'error' | 'return' | 'wait';
	user: string;
}

export function readOutput({ parameters }: Pick<DifyCall, 'parameters'>, user: string): RunOutput {
	return {
		simplify: parameters.flag('simplify'),
		include: parameters.choices<IncludedPart>('options.include'),
		onFailure: parameters.choice<'error' | 'return'>('options.onFailure', 'error'),
		onPause: parameters.choice<'error' | 'return' | 'wait'>('options.onPause', 'return'),
		user,
	};
}

/**
 * The item of a run.
 *
 * @param reading resolves to its result
 * @param known warnings
 * @throws {ServerError} as the run, unless the option says that a failed run is a result
 */
export async function runItem(
	call: DifyCall,
	output: RunOutput,
	reading: Promise<RunResult>,
	known: readonly string[] = [],
): Promise<OperationItem> {
	const { include, onFailure, onPause, simplify, user } = output;
	const result = await (onFailure === 'return' ? reading.catch(failedRun) : reading);
	if (result.status === 'paused' && onPause === 'error') throw pausedError('workflow', result);
	await call.typing?.end();
	const warnings = [...known, ...result.warnings, ...formsByMail(result)];
	const files = include.includes('files') ? await resultFiles(call, result) : { warnings: [] };
	append(warnings, files.warnings);
	warnings.forEach(call.hint);
	const json = simplify ? simplified(result) : whole(call, result);
	return {
		json: plain({
			...json,
			user,
			...filled({ answered: result.answered }),
			...(simplify ? filled({ warnings }) : { warnings }),
			...included(include, result),
		}),
		...optional({ binary: files.binary }),
	};
}

function included(include: readonly IncludedPart[], { workflow, text }: RunResult): object {
	return {
		...(include.includes('nodes') && { nodes: workflow?.nodes ?? [] }),
		...(include.includes('text') && { text }),
	};
}

/** The result of a run that failed. @throws the error of a lost or refused run, which is none */
function failedRun(error: unknown): RunResult {
	const failed = partialResultOf(error);
	const isRun = failed?.error !== undefined && failed.error.cause !== 'refused';
	if (isRun && failed.workflowRunId !== undefined) return failed;
	throw error;
}

function formsByMail({ pause }: RunResult): string[] {
	const byMail = (pause?.forms ?? []).filter(({ formToken }) => formToken === null);
	return byMail.map(
		({ nodeTitle }) =>
			`The form "${nodeTitle ?? ''}" has no token: it is sent by email only and answered there. To submit it from n8n, enable the web app as its delivery method in Dify.`,
	);
}

/** The outputs, and what later nodes need. */
function simplified(result: RunResult): object {
	const { status, workflowRunId, taskId, workflow, pause, error } = result;
	return {
		outputs: outputsOf(result),
		status,
		workflowRunId,
		taskId,
		totalTokens: workflow?.totalTokens,
		...optional({ forms: pause?.forms.map(simpleForm), error: error?.message }),
	};
}

function simpleForm(form: HumanForm): object {
	return { ...form, displayInUi: undefined, resolvedDefaultValues: undefined };
}

function whole({ client }: DifyCall, result: RunResult): object {
	const { status, workflowRunId, taskId, pause, error, files, workflow } = result;
	return {
		...workflow,
		nodes: undefined,
		runId: undefined,
		status,
		outputs: outputsOf(result),
		workflowRunId,
		taskId,
		error: error?.message ?? null,
		files: files.map((file) => withWholeUrl(client, file)),
		...optional({ pausedNodes: pause?.pausedNodes, forms: pause?.forms }),
	};
}

/**
 * Outputs have any names, so they are kept apart from the node's own fields. Dify wraps lists of files:
 * `{"value_type":"array[file]","value":[]}`.
 */
function outputsOf({ workflow }: RunResult): unknown {
	const outputs = workflow?.outputs ?? {};
	if (!isRecord(outputs)) return outputs;
	return mapValues(outputs, (value) => {
		const isWrapped = isRecord(value) && 'value_type' in value && 'value' in value;
		return isWrapped ? value.value : value;
	});
}
