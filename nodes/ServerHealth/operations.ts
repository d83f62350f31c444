import type { INodeProperties } from 'n8n-workflow';

import { serviceField } from '../shared/health/check-fields';
import { operationField, operationFields } from '../shared/run/operations';
import { check } from './check';
import type { HealthOperation, Service } from './operation';
import { report } from './report';
import { speedTest } from './speed-test';
import { waitUntilReady } from './wait-until-ready';

export const OPERATIONS: readonly HealthOperation[] = [check, report, speedTest, waitUntilReady];

function operationsFor(service: Service): INodeProperties {
	return operationField(
		OPERATIONS.filter(({ services }) => services.includes(service)),
		'check',
		{ service: [service] },
	);
}

export const properties: INodeProperties[] = [
	serviceField,
	operationsFor('modelServer'),
	operationsFor('dify'),
	...OPERATIONS.flatMap((operation) => operationFields([operation], { service: [...operation.services] })),
];
