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
const DEFAULT_OPERATION = check.option.value;

/** Operations of the node, which depend on the service. */
export const operations: OperationTable<HealthOperation> & { subtitle: string } = {
	subtitle: toSubtitle(OPERATIONS),
	properties: [
		serviceField,
		serviceOperationField('modelServer'),
		serviceOperationField('dify'),
		...OPERATIONS.flatMap((operation) =>
			operationFields([operation], { service: [...operation.services] }),
		),
	],
	getOperation: (context, itemIndex) =>
		findOperation(
			OPERATIONS,
			String(context.getNodeParameter('operation', itemIndex, DEFAULT_OPERATION)),
		),
};

/** Expression that shows the action of the operation below the node. */
function toSubtitle(table: readonly HealthOperation[]): string {
	const actions = table.map(({ option }) => [option.value, option.action]);
	return `={{ (${JSON.stringify(Object.fromEntries(actions))})[$parameter.operation] }}`;
}

export function readService(context: IExecuteFunctions, itemIndex: number): Service {
	return new NodeParameters(context, itemIndex, [serviceField]).choice<Service>('service');
}

function serviceOperationField(service: Service): INodeProperties {
	const supported = OPERATIONS.filter(({ services }) => services.includes(service));
	return operationField(supported, DEFAULT_OPERATION, { service: [service] });
}
