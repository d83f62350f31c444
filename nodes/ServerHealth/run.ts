import {
	NodeConnectionTypes,
	NodeOperationError,
	type IDataObject,
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	type JsonObject,
} from 'n8n-workflow';

import type { CheckResult } from '../../lib/health/check';
import { ServerError } from '../../lib/errors/server-error';
import { failure } from '../../lib/errors/failure';
import { errorDetails, toNodeError } from '../../lib/errors/node-error';
import type { Operation, Outcome } from './operation';
import { check } from './operations/check';
import { listModels } from './operations/listModels';
import { loadModel } from './operations/loadModel';
import { speedTest } from './operations/speedTest';
import { unloadModel } from './operations/unloadModel';
import { waitUntilReady } from './operations/waitUntilReady';
import { Parameters } from './parameters';
import { targetOf } from './target';

const OPERATIONS: Record<string, Operation> = { check, speedTest, waitUntilReady, listModels, loadModel, unloadModel };

/** What the node still holds of another server, after Dify was chosen, would be asked of Dify in vain. */
const OF_DIFY = new Set(['check', 'waitUntilReady']);

const HEALTHY = 0;
const UNHEALTHY = 1;

export async function runServerHealth(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const outputs: INodeExecutionData[][] = [[], []];
	// A tool may be called without any input item, and is to answer all the same.
	const count = Math.max(1, context.getInputData().length);
	for (let itemIndex = 0; itemIndex < count; itemIndex++) {
		const put = (output: number, json: object, more: Partial<INodeExecutionData> = {}) =>
			outputs[output]!.push({ json: json as IDataObject, pairedItem: { item: itemIndex }, ...more });
		const outcome = await attempt(context, itemIndex);
		if ('failed' in outcome) {
			const { failed, details } = outcome;
			if (!context.continueOnFail()) throw failed;
			put(UNHEALTHY, { error: failed.message, description: failed.description, ...details }, { error: failed });
		} else if ('health' in outcome) {
			put(outcome.health.healthy ? HEALTHY : UNHEALTHY, outcome.health);
		} else {
			for (const item of outcome.items) put(HEALTHY, item);
		}
	}
	return hasOneOutput(context) ? [outputs.flat()] : outputs;
}

async function attempt(
	context: IExecuteFunctions,
	itemIndex: number,
): Promise<Outcome | { failed: NodeOperationError; details: JsonObject }> {
	try {
		const parameters = new Parameters(context, itemIndex);
		const name = String(context.getNodeParameter('operation', itemIndex, 'check'));
		const operation = operationOf(name);
		const target = await targetOf(context, itemIndex);
		if (target.service === 'dify' && !OF_DIFY.has(name)) throw notOfDify(name);
		const outcome = await operation(target, parameters);
		const mustBeHealthy =
			'health' in outcome && !outcome.health.healthy && parameters.flag('options', 'failWhenUnhealthy', false);
		return mustBeHealthy
			? {
					failed: unhealthy(context.getNode(), outcome.health, itemIndex),
					details: outcome.health as unknown as JsonObject,
				}
			: outcome;
	} catch (error) {
		return {
			failed: toNodeError(context.getNode(), error, { itemIndex }),
			details: error instanceof ServerError ? errorDetails(error) : {},
		};
	}
}

function operationOf(name: string): Operation {
	const operation = Object.entries(OPERATIONS).find(([known]) => known === name)?.[1];
	if (operation !== undefined) return operation;
	throw failure(
		'invalidInput',
		{},
		{ message: `The operation "${name}" does not exist`, remedy: `Use one of: ${Object.keys(OPERATIONS).join(', ')}.` },
	);
}

function notOfDify(name: string): ServerError {
	return failure(
		'invalidInput',
		{},
		{
			message: `Dify has no operation "${name}"`,
			remedy: 'Choose the operation Check or Wait Until Ready, or Model Server under Server.',
		},
	);
}

function unhealthy(node: INode, health: CheckResult, itemIndex: number): NodeOperationError {
	const finding = health.findings[0];
	const error = new NodeOperationError(node, finding?.meaning ?? health.summary, {
		description: finding === undefined ? undefined : `${finding.advice} Observed: ${finding.observed}`,
		itemIndex,
	});
	error.context.data = health as unknown as IDataObject;
	return error;
}

/**
 * As a tool of an agent the node has one output, and n8n reads the first list only (n8n-core, get-input-connection-data.ts, and the agent's
 * buildSteps.ts): an unhealthy server would be an empty answer. n8n's own assistant runs the node as it is, in mode `internal`, and reads the
 * first list as well.
 */
function hasOneOutput(context: IExecuteFunctions): boolean {
	const mains = context.getNodeOutputs().filter(({ type }) => type === NodeConnectionTypes.Main);
	return mains.length < 2 || context.getMode() === 'internal';
}
