import type { IBinaryKeyData } from 'n8n-workflow';

import { partialResultOf } from '../../lib/dify/errors/failure';
import {
	downloadFailureText,
	downloadFile,
	MAX_FILES_BYTES,
	outputFiles,
} from '../../lib/dify/files/output-files';
import type { HumanForm, RunResult, WorkflowRun } from '../../lib/dify/types';
import { append, filled, optional, recordOf } from '../../lib/values';
import { fileOriginsIn } from '../shared/dify/fields';
import { keylessClient, type DifyCall } from '../shared/dify/run';
import { pausedError } from '../shared/dify/run-request';
import type { OperationItem } from '../shared/run/operations';
import { plain } from '../shared/dify/plain';

/** Optional parts of the item beside the outputs. */
type Extra = 'files' | 'nodes' | 'text';

/** Contents of the item, and what counts as a failure. */
interface RunOutput {
	simplify: boolean;
	include: readonly Extra[];
	onFailure: 'error' | 'return';
	onPause: 'error' | 'return' | 'wait';
	/** Origins besides that of the credential from which files may be fetched. */
	origins: readonly string[];
	user: string;
}

export function readOutput({ parameters }: Pick<DifyCall, 'parameters'>, user: string): RunOutput {
	return {
		simplify: parameters.flag('simplify'),
		include: parameters.choices<Extra>('options.include'),
		onFailure: parameters.choice<'error' | 'return'>('options.onFailure', 'error'),
		onPause: parameters.choice<'error' | 'return' | 'wait'>('options.onPause', 'return'),
		origins: fileOriginsIn(parameters),
		user,
	};
}

/**
 * The item of a run.
 *
 * @param reading resolves to its result
 * @throws {ServerError} as the run, unless the option says that a failed run is a result
 */
export async function runItem(
	call: DifyCall,
	output: RunOutput,
	reading: Promise<RunResult>,
): Promise<OperationItem> {
	const result = await reading.catch((error: unknown) => {
		const failed = output.onFailure === 'return' ? failedRun(error) : undefined;
		return failed ?? Promise.reject(error as Error);
	});
	if (result.status === 'paused' && output.onPause === 'error')
		throw pausedError('workflow', result);
	await call.typing?.end();
	const warnings = [...result.warnings, ...(await warningsAbout(call, result))];
	const binary: IBinaryKeyData = {};
	if (output.include.includes('files'))
		append(warnings, await addFiles(call, result, binary, output.origins));
	warnings.forEach(call.hint);
	const json = {
		...(output.simplify ? simplified : whole)(result, warnings, output.user),
		...extras(result, output),
	};
	return {
		json: plain(json),
		...filled({ binary }),
	};
}

/** The result of a run that failed in Dify; undefined for a lost or refused run. */
function failedRun(error: unknown): RunResult | undefined {
	const result = partialResultOf(error);
	const isRun = result?.error?.cause === 'runFailed' || result?.error?.cause === 'errorEvent';
	return isRun && result?.workflowRunId !== undefined ? result : undefined;
}

async function warningsAbout({ appParameters }: DifyCall, result: RunResult): Promise<string[]> {
	const { pause, status, workflow } = result;
	const byMail = (pause?.forms ?? []).filter(({ formToken }) => formToken === null);
	const warnings = byMail.map(
		({ nodeTitle }) =>
			`The form "${nodeTitle ?? ''}" has no token: it goes out by e-mail only, and is answered there. To answer it from n8n, switch on the web app as its way of delivery in Dify.`,
	);
	const values = Object.values(recordOf(workflow?.outputs));
	if (status !== 'succeeded' || values.some((value) => value !== null)) return warnings;
	// In an app with a form this may be intended.
	const form = await appParameters().then(
		({ user_input_form: fields }) => fields,
		() => undefined,
	);
	if (!Array.isArray(form) || form.length > 0) return warnings;
	const trigger =
		'The run has no outputs. If this workflow starts with a trigger (webhook, schedule, plugin), it ran without the data of its trigger: call its webhook with an HTTP Request node.';
	return [...warnings, trigger];
}

async function addFiles(
	call: DifyCall,
	result: RunResult,
	binary: IBinaryKeyData,
	origins: readonly string[],
): Promise<string[]> {
	const files = outputFiles(result.workflow?.outputs, result.files);
	if (files.length === 0) return [];
	const client = await keylessClient(call);
	const warnings: string[] = [];
	let maxBytes = MAX_FILES_BYTES;
	for (const file of files) {
		try {
			const download = await downloadFile(client, file, { origins, maxBytes });
			if (download === undefined) continue;
			const { content, name, mimeType } = download;
			maxBytes -= content.byteLength;
			binary[`file_${Object.keys(binary).length}`] = await call.context.helpers.prepareBinaryData(
				content,
				name,
				mimeType,
			);
		} catch (error) {
			// The run has its result, which must not be lost because of a file.
			warnings.push(
				`The file "${file.filename ?? file.id ?? ''}" could not be fetched: ${downloadFailureText(error)}.`,
			);
		}
	}
	return warnings;
}

/** The outputs, and what later nodes need. */
function simplified(result: RunResult, warnings: string[], user: string): object {
	const { status, workflowRunId, taskId, workflow, pause, error } = result;
	return {
		outputs: outputsOf(result),
		status,
		workflowRunId,
		taskId,
		totalTokens: workflow?.totalTokens,
		user,
		...optional({ forms: pause?.forms.map(simpleForm), error: error?.message }),
		...filled({ warnings }),
	};
}

function simpleForm(form: HumanForm): object {
	return { ...form, displayInUi: undefined, resolvedDefaultValues: undefined };
}

function whole(result: RunResult, warnings: string[], user: string): object {
	const { status, workflowRunId, taskId, pause, error, files } = result;
	const workflow: Partial<WorkflowRun> = result.workflow ?? {};
	return {
		status,
		outputs: outputsOf(result),
		workflowRunId,
		taskId,
		workflowId: workflow.workflowId,
		user,
		elapsedTime: workflow.elapsedTime,
		totalTokens: workflow.totalTokens,
		totalSteps: workflow.totalSteps,
		exceptionsCount: workflow.exceptionsCount,
		createdAt: workflow.createdAt,
		finishedAt: workflow.finishedAt,
		error: error?.message ?? null,
		files,
		warnings,
		...optional({ pausedNodes: pause?.pausedNodes, forms: pause?.forms }),
	};
}

/** Outputs have any names, so they are kept apart from the node's own fields. */
function outputsOf({ workflow }: RunResult): unknown {
	return workflow?.outputs ?? {};
}

function extras(result: RunResult, { include }: RunOutput): object {
	return {
		...(include.includes('nodes') ? { nodes: result.workflow?.nodes ?? [] } : {}),
		...(include.includes('text') ? { text: result.text } : {}),
	};
}
