/** Merges events into the parts of a run: nodes, files, thoughts, forms. */
import { MemoryBudget } from '../../memory-budget';
import type { JsonRecord } from '../../values/records';
import { asRecords, isRecord, asArray, isNonEmpty, asNonEmptyString } from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import { truncate } from '../../values/text';
import { toReadableText } from '../readable-text';
import { getFileKeys } from '../output-files';
import { toFormContent } from '../human-form';
import type { RunResult, RunSummary, SubmittedForm, WorkflowNode, WorkflowRun } from '../types';
import type { FormList } from './form-list';
import { getOwn, setOwn } from '../../values/own-properties';

/** Numbers of nodes that a pause asks for. */
interface NodeCounts {
	paused: number;
	/** Human inputs that succeeded. */
	answered: number;
}

/** The parts of a run that events add to. */
export interface CollectedParts extends Pick<
	RunResult,
	'files' | 'thoughts' | 'submittedForms' | 'workflow' | 'workflowRunId'
> {
	/** By type of event and execution ID, for loops with thousands of passes. */
	readonly nodeIndex: Map<string, WorkflowNode>;
	readonly nodeCounts: NodeCounts;
	/** Whether the inputs and outputs of nodes are kept, because the output item contains them. */
	readonly keepsNodeValues: boolean;
	/** Files by each of their keys, thoughts by ID: there may be thousands. */
	readonly fileIndex: Map<string, JsonRecord>;
	readonly thoughtIndex: Map<string, JsonRecord>;
	readonly forms: FormList;
	/** Titles of forms that were not submitted in time. */
	readonly expiredForms: Set<string>;
	/** `submittedForms` by title and button. */
	readonly submittedIndex: Map<string, SubmittedForm>;
	/** Memory of these parts. What does not fit is left out. */
	readonly partsBudget: MemoryBudget;
}

/** Adds or merges a file: chatflows list their files in both end events. */
export function addFile(
	{ files, fileIndex, partsBudget }: Pick<CollectedParts, 'files' | 'fileIndex' | 'partsBudget'>,
	source: JsonRecord,
): void {
	if (!partsBudget.take(source)) return;
	const file = { ...source };
	if (typeof file.url !== 'string') delete file.url;
	const existing = getFileKeys(file)
		.map((name) => fileIndex.get(name))
		.find((candidate) => candidate !== undefined);
	if (existing === undefined) files.push(file);
	else copyNonEmpty({ from: file, to: existing });
	const mergedFile = existing ?? file;
	for (const name of getFileKeys(mergedFile)) fileIndex.set(name, mergedFile);
}

/** Copies only non-empty values, so that a later, emptier version keeps earlier values. */
function copyNonEmpty({ from, to }: { from: JsonRecord; to: JsonRecord }) {
	for (const [key, value] of Object.entries(from)) {
		if (isNonEmpty(value) || !Object.hasOwn(to, key)) setOwn(to, key, value);
	}
}

const ENVELOPE = new Set(['event', 'conversation_id', 'message_id', 'created_at', 'task_id', 'id']);

/**
 * Upserts by ID: events with the same ID add fields; the tool of a thought arrives before its observation.
 */
export function addThought(
	{
		thoughts,
		thoughtIndex,
		partsBudget,
	}: Pick<CollectedParts, 'thoughts' | 'thoughtIndex' | 'partsBudget'>,
	event: JsonRecord,
): void {
	if (!partsBudget.take(event)) return;
	const id = asNonEmptyString(event.id) ?? '';
	let thought = thoughtIndex.get(id);
	if (thought === undefined) {
		thought = { id };
		thoughtIndex.set(id, thought);
		thoughts.push(thought);
	}
	const from = Object.fromEntries(Object.entries(event).filter(([key]) => !ENVELOPE.has(key)));
	copyNonEmpty({ from, to: thought });
}

/** A field of an event. A missing value changes nothing. */
interface EventField<T> {
	/** Its name in the result. */
	name: keyof T;
	/** Its name in the event. */
	key: string;
	/** Returns undefined for a missing or invalid value. */
	parse: (value: unknown) => unknown;
}

type Fields<T> = ReadonlyArray<EventField<T>>;

/** After attaching to a run, finished nodes are repeated without values (docs/protocols/dify.md 2.4). */
const toDefined = (value: unknown) => value ?? undefined;

const NODE_FIELDS: Fields<WorkflowNode> = [
	{ name: 'nodeId', key: 'node_id', parse: asNonEmptyString },
	{ name: 'type', key: 'node_type', parse: asNonEmptyString },
	{ name: 'title', key: 'title', parse: asNonEmptyString },
	{ name: 'createdAt', key: 'created_at', parse: asFiniteNumber },
	{ name: 'iterationId', key: 'iteration_id', parse: asNonEmptyString },
	{ name: 'loopId', key: 'loop_id', parse: asNonEmptyString },
];

/** Of any size, and kept only if the output item contains them. */
const NODE_VALUES: Fields<WorkflowNode> = [
	{ name: 'inputs', key: 'inputs', parse: (value) => (isNonEmpty(value) ? value : undefined) },
];

const ENDED_NODE_FIELDS: Fields<WorkflowNode> = [
	{ name: 'error', key: 'error', parse: asNonEmptyString },
	{ name: 'elapsedTime', key: 'elapsed_time', parse: asFiniteNumber },
	{ name: 'finishedAt', key: 'finished_at', parse: asFiniteNumber },
	{ name: 'passes', key: 'steps', parse: asFiniteNumber },
];

const ENDED_NODE_VALUES: Fields<WorkflowNode> = [
	{ name: 'outputs', key: 'outputs', parse: toDefined },
	{ name: 'processData', key: 'process_data', parse: toDefined },
	{ name: 'executionMetadata', key: 'execution_metadata', parse: toDefined },
	{ name: 'files', key: 'files', parse: parseNodeFiles },
];

function parseNodeFiles(value: unknown): JsonRecord[] | undefined {
	const files = asRecords(value);
	return files.length > 0 ? files.map((file) => ({ ...file })) : undefined;
}

/** What is copied of an event. */
interface EventFields<T> {
	data: JsonRecord;
	fields: Fields<T>;
	/** What does not fit into it is left out. Default: without a limit. */
	budget?: MemoryBudget;
}

/** Copies fields of an event. */
function copyFields<T>(
	target: T,
	{ data, fields, budget = new MemoryBudget(Infinity) }: EventFields<T>,
): void {
	for (const { name, key, parse } of fields) {
		const value = parse(getOwn(data, key));
		if (value !== undefined && budget.take(value)) target[name] = value as T[typeof name];
	}
}

/** Memory of a node without its values. */
const NODE_BYTES = 1_024;

/**
 * Upserts a node. Parallel branches interleave, and resumed runs may skip start events: any event can be the first of a
 * node. Iterations and loops send no `node_*` events for themselves.
 */
export function addNode(run: CollectedParts, name: string, data: JsonRecord): void {
	const { nodeIndex, partsBudget } = run;
	const id = asNonEmptyString(data.id) ?? asNonEmptyString(data.node_id) ?? '';
	const key = `${name.slice(0, name.indexOf('_'))}:${id}`;
	let node = nodeIndex.get(key);
	if (node === undefined) {
		if (!partsBudget.takeBytes(NODE_BYTES + 2 * id.length)) return;
		node = { id, status: 'running' };
		nodeIndex.set(key, node);
		ensureWorkflow(run).nodes.push(node);
	}
	countNode(run, node, -1);
	updateNode(run, node, { name, data });
	countNode(run, node, 1);
}

/** An event about a node. */
interface NodeEvent {
	name: string;
	data: JsonRecord;
}

function updateNode(run: CollectedParts, node: WorkflowNode, { name, data }: NodeEvent): void {
	const budget = run.partsBudget;
	copyFields(node, { data, fields: NODE_FIELDS, budget });
	if (run.keepsNodeValues) copyFields(node, { data, fields: NODE_VALUES, budget });
	if (name.endsWith('_next')) {
		node.passes = (asFiniteNumber(data.index) ?? node.passes ?? 0) + 1;
		return;
	}
	node.index = asFiniteNumber(data.index) ?? node.index;
	if (!name.endsWith('_started')) endNode(run, node, { name, data });
}

/** Counts the nodes that a pause asks for, so that no event looks at all nodes. */
function countNode(
	{ nodeCounts }: CollectedParts,
	{ type, status }: WorkflowNode,
	change: 1 | -1,
): void {
	if (status === 'paused') nodeCounts.paused += change;
	if (type === 'human-input' && status === 'succeeded') nodeCounts.answered += change;
}

/** The workflow of a run, which any of its events may be the first of. */
export function ensureWorkflow(run: CollectedParts): WorkflowRun {
	run.workflow ??= { runId: run.workflowRunId, status: 'running', nodes: [] };
	return run.workflow;
}

/** Applies the end of a node, or of one of its attempts. */
function endNode(run: CollectedParts, node: WorkflowNode, { name, data }: NodeEvent): void {
	const budget = run.partsBudget;
	if (name === 'node_retry') {
		node.retries = asFiniteNumber(data.retry_index) ?? (node.retries ?? 0) + 1;
	}
	node.status = asNonEmptyString(data.status) ?? 'succeeded';
	if (node.status === 'succeeded') node.error = undefined;
	copyFields(node, { data, fields: ENDED_NODE_FIELDS, budget });
	if (run.keepsNodeValues) copyFields(node, { data, fields: ENDED_NODE_VALUES, budget });
}

const RUN_FIELDS: Fields<RunSummary> = [
	{ name: 'runId', key: 'id', parse: asNonEmptyString },
	{ name: 'runId', key: 'workflow_run_id', parse: asNonEmptyString },
	{ name: 'workflowId', key: 'workflow_id', parse: asNonEmptyString },
	{ name: 'status', key: 'status', parse: asNonEmptyString },
	{ name: 'outputs', key: 'outputs', parse: (value) => (isRecord(value) ? value : undefined) },
	{ name: 'error', key: 'error', parse: asNonEmptyString },
	{ name: 'elapsedTime', key: 'elapsed_time', parse: asFiniteNumber },
	{ name: 'totalTokens', key: 'total_tokens', parse: asFiniteNumber },
	{ name: 'totalSteps', key: 'total_steps', parse: asFiniteNumber },
	{ name: 'createdAt', key: 'created_at', parse: asFiniteNumber },
	{ name: 'finishedAt', key: 'finished_at', parse: asFiniteNumber },
	{ name: 'exceptionsCount', key: 'exceptions_count', parse: asFiniteNumber },
];

/** Applies the data of `workflow_started`, `workflow_finished` and `workflow_paused` to the run. */
export function updateWorkflow(workflow: RunSummary, data: JsonRecord): void {
	copyFields(workflow, { data, fields: RUN_FIELDS });
}

/** More forms than a person can submit. */
const MAX_FORMS = 1_000;

/** Adds a form from `human_input_required`, or from the pause reason, which repeats it. Ignores forms without an ID. */
export function addForm(
	{ forms, partsBudget }: Pick<CollectedParts, 'forms' | 'partsBudget'>,
	data: JsonRecord,
): void {
	const formId = asNonEmptyString(data.form_id);
	const nodeId = asNonEmptyString(data.node_id);
	const formToken = asNonEmptyString(data.form_token) ?? null;
	const isNamed = (formId ?? nodeId ?? formToken ?? undefined) !== undefined;
	if (!isNamed || forms.has({ formId, nodeId })) return;
	if (forms.size >= MAX_FORMS) {
		partsBudget.omissions++;
		return;
	}
	if (!partsBudget.take(data)) return;
	forms.add({
		formId,
		nodeId,
		nodeTitle: asNonEmptyString(data.node_title),
		formContent: toFormContent(data),
		inputs: asArray(data.inputs),
		actions: asArray(data.actions),
		displayInUi: typeof data.display_in_ui === 'boolean' ? data.display_in_ui : undefined,
		formToken,
		resolvedDefaultValues: isRecord(data.resolved_default_values)
			? data.resolved_default_values
			: undefined,
		expirationTime: asFiniteNumber(data.expiration_time),
	});
}

/** A submission, as in an event. */
interface FormSubmission {
	/** Title of the node. */
	title: unknown;
	/** ID of the button. */
	action: unknown;
	/** Values of the fields by name. */
	values: unknown;
}

/** Adds the button that was used, and the values. Several events of a submission may have them, or only some of them. */
export function addSubmittedForm(
	{
		submittedForms,
		submittedIndex,
		partsBudget,
	}: Pick<CollectedParts, 'submittedForms' | 'submittedIndex' | 'partsBudget'>,
	{ title, action, values }: FormSubmission,
): void {
	const nodeTitle = asNonEmptyString(title);
	const actionId = asNonEmptyString(action);
	if (actionId === undefined) return;
	const key = JSON.stringify([nodeTitle, actionId]);
	let form = submittedIndex.get(key);
	if (form === undefined) {
		if (!partsBudget.take([key, nodeTitle, actionId])) return;
		form = { nodeTitle, actionId };
		submittedIndex.set(key, form);
		submittedForms.push(form);
	}
	const isNew = form.submittedData === undefined && isNonEmpty(values) && isRecord(values);
	if (isNew && partsBudget.take(values)) form.submittedData = values;
}

/** Warnings of Dify that are shown. */
const MAX_WARNINGS = 20;

const MAX_WARNING_LENGTH = 300;

/** Adds a warning in Dify's words, without keys. */
export function addWarning(
	{ difyWarnings, secrets, partsBudget }: WarningParts,
	words: string | undefined,
): void {
	if (words === undefined) return;
	const text = truncate(toReadableText(words, secrets).replace(/\s+/g, ' '), MAX_WARNING_LENGTH);
	if (text === '' || difyWarnings.has(text)) return;
	if (difyWarnings.size < MAX_WARNINGS) difyWarnings.add(text);
	else partsBudget.omissions++;
}

interface WarningParts extends Pick<CollectedParts, 'partsBudget'> {
	/** Texts, each once. */
	readonly difyWarnings: Set<string>;
	/** Texts to mask. */
	readonly secrets: readonly string[];
}
