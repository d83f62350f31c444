import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { serviceField } from '../shared/health/check-fields';
import { NodeParameters } from '../shared/parameters';
import {
	operationField,
	operationFields,
	findOperation,
	type OperationTable,
} from '../shared/run/operations';
import { check } from './check';
import type { HealthOperation, Service } from './operation';
import { report } from './report';
import { speedTest } from './speed-test';
import { toolTest } from './tool-test';
import { waitUntilReady } from './wait-until-ready';

const OPERATIONS: readonly HealthOperation[] = [check, speedTest, toolTest, report, waitUntilReady];
const PRESET = check.option.value;

/** The operations of the node, which depend on the kind of server. */
export const operations: OperationTable<HealthOperation> & { subtitle: string } = {
	subtitle: subtitleOf(OPERATIONS),
	properties: [
		serviceField,
		operationsFor('modelServer'),
		operationsFor('dify'),
		...OPERATIONS.flatMap((operation) =>
			operationFields([operation], { service: [...operation.services] }),
		),
	],
	getOperation: (context, itemIndex) =>
		findOperation(OPERATIONS, String(context.getNodeParameter('operation', itemIndex, PRESET))),
};

/** An expression for the node in the canvas: the operation in the words of n8n's list of actions. */
function subtitleOf(table: readonly HealthOperation[]): string {
	const actions = table.map(({ option }) => [option.value, option.action]);
	return `={{ (${JSON.stringify(Object.fromEntries(actions))})[$parameter.operation] }}`;
}

/** The kind of server that an item chooses. */
export function readService(context: IExecuteFunctions, itemIndex: number): Service {
	return new NodeParameters(context, itemIndex, [serviceField]).choice<Service>('service');
}

function operationsFor(service: Service): INodeProperties {
	const offered = OPERATIONS.filter(({ services }) => services.includes(service));
	return operationField(offered, PRESET, { service: [service] });
}
