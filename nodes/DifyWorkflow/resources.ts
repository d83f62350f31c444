import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { operationChosen, resourceFields } from '../shared/run/operations';
import { formGet } from './form/get';
import { formSubmit } from './form/submit';
import { formSubmitAndFollow } from './form/submit-and-follow';
import type { AppOperation } from '../shared/dify/app-operations';
import { runExecute } from './run/execute';
import { runFollow } from './run/follow';
import { runGet } from './run/get';
import { runGetAll } from './run/get-all';
import { runStop } from './run/stop';

const RESOURCES = {
	run: { operations: [runExecute, runFollow, runGet, runGetAll, runStop], preset: 'execute' },
	form: { operations: [formGet, formSubmit, formSubmitAndFollow], preset: 'submitAndFollow' },
};

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Form', value: 'form', description: 'What a run that waits for a person asks' },
		{ name: 'Run', value: 'run' },
	],
	default: 'run',
};

export const properties: INodeProperties[] = [resourceField, ...resourceFields(RESOURCES)];

/** The operation of the node. */
export function operationOf(context: IExecuteFunctions): AppOperation {
	return operationChosen(context, 0, resourceField, RESOURCES);
}
