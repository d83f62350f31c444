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
import { check } from './check';
import { toolTest } from './tool-test';
import { speedTest } from './speed-test';
import { waitUntilReady } from './wait-until-ready';
import type { HealthOperation, Service } from './health-operation';
import { report } from './report';

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
