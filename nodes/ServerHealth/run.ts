import {
	NodeConnectionTypes,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
} from 'n8n-workflow';

import { failure } from '../../lib/errors/failure';
import { errorDetails, toNodeError } from '../../lib/errors/node-error';
import { ServerError } from '../../lib/errors/server-error';
import type { CheckResult } from '../../lib/health/check';
import { serviceField } from '../shared/health/check-fields';
import { workOnItems } from '../shared/run/items';
import { NodeParameters } from '../shared/parameters';
import type { HealthOperation, Outcome } from './operation';
import { OPERATIONS } from './operations';
import { targetOf } from '../shared/health/target';

const HEALTHY = 0;
const UNHEALTHY = 1;

export async function runServerHealth(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const results = await workOnItems(
		context,
		async (itemIndex, signal) => {
			const outcome = await attempt(context, itemIndex, signal);
			// Another item has spoken for this one.
			if (outcome === undefined) return [[], []];
			const { health, failWhenUnhealthy, binary, itemIndexes } = outcome;
			if (!health.healthy && failWhenUnhealthy) throw new Unhealthy(context.getNode(), health, itemIndex);
			const item = { ...itemOf(itemIndex, health), ...(binary === undefined ? {} : { binary }) };
			if (itemIndexes.length > 1) item.pairedItem = itemIndexes.map((one) => ({ item: one }));
			return health.healthy ? [[item], []] : [[], [item]];
		},
		{
			toNodeError: (error, itemIndex) => toNodeError(context.getNode(), error, { itemIndex }),
			whenFailed: (error, itemIndex) => [[], [failedItem(context.getNode(), error, itemIndex)]],
		},
	);
	const outputs = [HEALTHY, UNHEALTHY].map((output) => results.flatMap((result) => result[output]!));
	return hasOneOutput(context) ? [outputs.flat()] : outputs;
}

async function attempt(
	context: IExecuteFunctions,
	itemIndex: number,
	signal: AbortSignal,
): Promise<(Outcome & { itemIndexes: number[] }) | undefined> {
	const service = new NodeParameters(context, itemIndex, [serviceField]).choice<'modelServer' | 'dify'>('service');
	const operation = operationNamed(String(context.getNodeParameter('operation', itemIndex, 'check')));
	if (!operation.services.includes(service)) throw notForDify(operation.option.value);
	const parameters = new NodeParameters(context, itemIndex, operation.fields);
	const takesAll = operation.takesAllItems?.({ parameters }) === true;
	if (takesAll && itemIndex > 0) return undefined;
	const target = await targetOf(context, service, itemIndex);
	const outcome = await operation.run({ context, target, parameters, signal });
	return { ...outcome, itemIndexes: takesAll ? context.getInputData().map((_item, at) => at) : [itemIndex] };
}

function operationNamed(name: string): HealthOperation {
	const operation = OPERATIONS.find(({ option }) => option.value === name);
	if (operation !== undefined) return operation;
	throw failure(
		'invalidInput',
		{},
		{
			message: `The operation "${name}" does not exist`,
			remedy: `Use one of: ${OPERATIONS.map(({ option }) => option.value).join(', ')}.`,
		},
	);
}

/** The operation was chosen for a model server and is still stored in the node after Dify was chosen. */
function notForDify(name: string): ServerError {
	return failure(
		'invalidInput',
		{},
		{
			message: `Dify has no operation "${name}"`,
			remedy: 'Choose the operation Check, Report or Wait Until Ready, or Model Server under Server.',
		},
	);
}

function itemOf(itemIndex: number, json: object): INodeExecutionData {
	return { json: json as IDataObject, pairedItem: { item: itemIndex } };
}

function failedItem(node: INode, error: unknown, itemIndex: number): INodeExecutionData {
	const failed = toNodeError(node, error, { itemIndex });
	const details = error instanceof Unhealthy ? error.health : error instanceof ServerError ? errorDetails(error) : {};
	return {
		...itemOf(itemIndex, { error: failed.message, description: failed.description, ...details }),
		error: failed,
	};
}

/**
 * The diagnosis as the error of the node: its description says what is wrong as well, since n8n's chat shows nothing
 * else.
 */
class Unhealthy extends NodeOperationError {
	constructor(
		node: INode,
		readonly health: CheckResult,
		itemIndex: number,
	) {
		const { meaning, advice, observed } = health.findings[0] ?? { meaning: health.summary };
		const sentence = meaning.replace(/[.\s]*$/, '.');
		super(node, meaning, {
			description: advice === undefined ? sentence : `${sentence} ${advice} Observed: ${observed}`,
			itemIndex,
		});
		// n8n puts a sentence of its own in place of a message with a code such as ECONNREFUSED in it.
		this.message = meaning;
		this.messages = [];
		this.context.data = health as unknown as IDataObject;
	}
}

/**
 * As a tool of an agent the node has one output, and n8n reads the first list only (n8n-core,
 * get-input-connection-data.ts, and the agent's buildSteps.ts): an unhealthy server would be an empty answer. n8n's own
 * assistant runs the node as it is, in mode `internal`, and reads the first list as well.
 */
function hasOneOutput(context: IExecuteFunctions): boolean {
	const mains = context.getNodeOutputs().filter(({ type }) => type === NodeConnectionTypes.Main);
	return mains.length < 2 || context.getMode() === 'internal';
}
