/** An operation of Server Health: its item goes to the healthy or the unhealthy output. */
import type { IBinaryKeyData, IDataObject, INode } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { join } from '../../lib/errors/sentences';
import { isToolNode, omitRepeatedCause, toNodeError } from '../../lib/errors/node-error';
import { describeError } from '../../lib/errors/describe-error';
import { ServerError } from '../../lib/errors/server-error';
import type { CheckTarget } from '../../lib/health/check';
import type { CheckOptions } from '../../lib/health/check-options';
import type { CheckResult } from '../../lib/health/check-result';
import type { FieldTable, OptionsField } from '../../lib/fields/field';
import { optionsField } from '../shared/fields/options-field';
import { readValues } from '../shared/fields/read-values';
import {
	checkOptionFields,
	expectationsField,
	serviceField,
	toCheckOptions,
} from '../shared/fields/check-fields';
import type { FieldValues, OperationDefinition } from '../shared/items/define-operation';
import { defineOperation } from '../shared/items/define-operation';
import type { Operation, OperationCall } from '../shared/items/operation';

export type Service = CheckTarget['service'];

/** What an operation of an item works on. */
export interface HealthAccess {
	target: CheckTarget;
}

/** One item of an operation. */
export type HealthCall = OperationCall<HealthAccess> & {
	/** Options of the check. */
	checkOptions: CheckOptions;
};

/** The fields of an operation, to which those of a check are added. */
interface HealthTable extends FieldTable {
	readonly options: OptionsField;
}

/** Result of an operation. */
interface HealthOutput extends CheckResult {
	/** A file to attach, such as a report. */
	binary?: IBinaryKeyData;
}

export interface HealthOperation extends Operation<HealthAccess> {
	/** Services that support the operation. */
	services: readonly Service[];
}

interface HealthDefinition<T extends HealthTable> extends Omit<
	OperationDefinition<HealthAccess, T>,
	'execute'
> {
	/** Services that support the operation. */
	services: readonly Service[];
	/** Checks or measures the server of the item. */
	fetchHealth(call: HealthCall & FieldValues<T>): Promise<HealthOutput>;
}

/** What every operation has. */
const CHECK_FIELDS = {
	service: serviceField,
	expectations: expectationsField,
	options: optionsField(checkOptionFields),
} as const satisfies FieldTable;

/** Outputs of the node. */
const HEALTHY = 0;
const UNHEALTHY = 1;

/**
 * An operation whose result is the health of a server.
 *
 * @throws an `UnhealthyError` when it runs, if the node should fail when unhealthy
 */
export function defineHealthOperation<const T extends HealthTable>({
	fetchHealth,
	services,
	...operation
}: HealthDefinition<T>): HealthOperation {
	const { options, ...fields } = operation.fields;
	const allOptions = { ...options, fields: { ...checkOptionFields, ...options.fields } };
	const healthOperation = defineOperation<HealthAccess, FieldTable>({
		...(operation as unknown as OperationDefinition<HealthAccess, FieldTable>),
		fields: { ...fields, expectations: expectationsField, options: allOptions },
		execute: async (call) => {
			const { source, signal, context, itemIndex } = call;
			const values = readValues(source, CHECK_FIELDS);
			const checkOptions = { ...toCheckOptions(values), signal };
			const { failWhenUnhealthy = false } = values.options;
			const { binary, ...health } = await fetchHealth({
				...(call as unknown as HealthCall & FieldValues<T>),
				checkOptions,
			});
			if (isToolNode(context.getNode())) return [{ json: toToolJson(health) }];
			if (!health.healthy && failWhenUnhealthy) {
				throw new UnhealthyError(context.getNode(), health, itemIndex);
			}
			const summary = summarizeWorstFinding(health);
			if (summary !== undefined) call.hint(summary);
			return [{ json: health, binary, output: health.healthy ? HEALTHY : UNHEALTHY }];
		},
	});
	return { ...healthOperation, services };
}

/**
 * The result for an agent. A model may repeat it to any user, so it contains nothing about the server: also a finding, a
 * version or a speed tells how to attack it. A report is a file, which an agent would not get anyway.
 */
function toToolJson({ healthy }: CheckResult) {
	return { healthy, message: healthy ? 'The checked service works.' : TOOL_UNHEALTHY_TEXT };
}

const TOOL_UNHEALTHY_TEXT =
	'The checked service does not work as it should. Its details are only shown to the owner of the workflow.';

const TOOL_FAILED_TEXT =
	'The checked service could not be checked. The reason is only shown to the owner of the workflow.';

/** n8n's error. As a tool, it says the same for all errors, and the details have its text. */
export function toHealthNodeError(node: INode, error: unknown): NodeOperationError {
	const nodeError = toNodeError(node, error);
	if (!isToolNode(node)) return nodeError;
	const description = error instanceof ServerError ? describeError(error) : nodeError.description;
	nodeError.context.data = { ...(nodeError.context.data as object | undefined), description };
	nodeError.message = TOOL_FAILED_TEXT;
	nodeError.description = TOOL_FAILED_TEXT;
	nodeError.messages = [];
	return nodeError;
}

/**
 * The most severe finding in one line. The item of an unhealthy server is in the second output, which the editor does
 * not show at first; a hint is shown above both.
 */
function summarizeWorstFinding({ healthy, summary, server: { url }, findings }: CheckResult) {
	const [worst] = findings;
	if (worst === undefined || worst.severity === 'info') return healthy ? undefined : summary;
	const state = healthy ? 'Healthy, with a warning' : 'Unhealthy';
	const address = url === undefined ? '' : ` (${url})`;
	return join(`${state}${address}: ${worst.detail.replace(/[.\s]{0,9}$/, '.')}`, worst.suggestion);
}

/** The worst finding as an error. Its description repeats the title, since n8n's chat shows only the description. */
class UnhealthyError extends NodeOperationError {
	constructor(node: INode, health: CheckResult, itemIndex: number) {
		const { detail, suggestion, observed } = health.findings[0] ?? { detail: health.summary };
		const sentence = detail.replace(/[.\s]{0,9}$/, '.');
		super(node, detail, {
			description: join(sentence, suggestion, observed && `Observed: ${observed}`),
			itemIndex,
		});
		// n8n replaces a message that contains a code such as ECONNREFUSED.
		this.message = detail;
		this.messages = [];
		this.context.data = health as unknown as IDataObject;
		omitRepeatedCause(this);
	}
}
