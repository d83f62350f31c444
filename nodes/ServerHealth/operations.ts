/** The operations of Server Health. */
import { serviceField } from '../shared/fields/check-fields';
import type { FieldTable } from '../../lib/fields/field';
import { readValues } from '../shared/fields/read-values';
import { toProperties } from '../shared/fields/to-properties';
import type { OperationTable } from '../shared/items/operation-table';
import {
	buildSubtitle,
	toLabels,
	operationField,
	operationFields,
	findOperation,
} from '../shared/items/operation-table';
import { toolTest } from './tool-test';
import { speedTest } from './speed-test';
import type { HealthOperation, Service } from './health-operation';
import { report } from './report';
import { checkServer } from '../../lib/health/check';
import { optionsField } from '../shared/fields/options-field';
import { defineHealthOperation, toHealthNodeError } from './health-operation';
import { waitUntilReady as wait } from '../../lib/health/wait-until-ready';
import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { createCheckTarget } from '../../lib/health/target';
import { runOperations } from '../shared/items/run-operations';

/** Operation Check. */
const check: HealthOperation = defineHealthOperation({
	name: 'Check',
	value: 'check',
	action: 'Check a server',
	description: 'Find problems and how to fix them. Does not generate, load or wake anything.',
	services: ['modelServer', 'dify'],
	fields: { options: optionsField({}) },
	fetchHealth: async ({ target, checkOptions: options }) => await checkServer(target, options),
});

/** Operation Wait Until Ready. */
const waitUntilReady: HealthOperation = defineHealthOperation({
	name: 'Wait Until Ready',
	value: 'waitUntilReady',
	action: 'Wait until a server is ready',
	description: 'Check until the server is healthy, for example while it loads a model',
	services: ['modelServer', 'dify'],
	fields: {
		waitTimeout: {
			kind: 'seconds',
			label: 'Wait Timeout (Seconds)',
			default: 300,
			range: [1],
			description:
				'How long to wait until the server responds, its model is loaded, and the Expectations are met',
			hint: 'The node waits until a check is healthy. It stops at once if waiting does not help, for example with a wrong key.',
		},
		options: optionsField({}),
	},
	fetchHealth: async ({ target, values, signal, checkOptions: options }) => {
		const { waitTimeout: timeoutMs } = values;
		const checkAgain = () => checkServer(target, options);
		return await wait(checkAgain, { timeoutMs, signal });
	},
});

const OPERATIONS: readonly HealthOperation[] = [check, speedTest, toolTest, report, waitUntilReady];

const DEFAULT_OPERATION = check.value;

const SELECTION = {
	operation: { kind: 'name', label: 'Operation', default: DEFAULT_OPERATION },
} as const satisfies FieldTable;

/** Operations of the node, which depend on the service. */
export const operations: OperationTable<HealthOperation> = {
	properties: [
		...toProperties({ service: serviceField }),
		serviceOperationField('modelServer'),
		serviceOperationField('dify'),
		...OPERATIONS.flatMap((operation) =>
			operationFields([operation], { service: [...operation.services] }),
		),
	],
	subtitle: buildSubtitle(toLabels(OPERATIONS)),
	getOperation: (source) => findOperation(OPERATIONS, readValues(source, SELECTION).operation),
};

function serviceOperationField(service: Service) {
	const supported = OPERATIONS.filter(({ services }) => services.includes(service));
	return operationField(supported, DEFAULT_OPERATION, { service: [service] });
}

/** Runs the selected operation for all items. */
export async function runServerHealth(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	return await runOperations(context, {
		table: operations,
		getAccess: async (source) => {
			const { service } = readValues(source, { service: serviceField });
			return { target: await createCheckTarget(context, service, source.itemIndex) };
		},
		createNodeError: toHealthNodeError,
		outputs: hasOneOutput(context) ? 1 : 2,
	});
}

/**
 * As a tool of an agent the node has one output, and n8n reads the first list only (n8n-core,
 * get-input-connection-data.ts, and the agent's buildSteps.ts): an unhealthy server would be an empty result. n8n's own
 * assistant runs the node in mode `internal`, and reads only the first list, too.
 */
function hasOneOutput(context: IExecuteFunctions) {
	const mains = context.getNodeOutputs().filter(({ type }) => type === NodeConnectionTypes.Main);
	return mains.length < 2 || context.getMode() === 'internal';
}
