import type { IDataObject, INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import type { Script, AppSpec, DifySim, Step, FormStep } from '../../simulators/dify';
import { startApp } from '../../lib/dify/client';
import { executePrepared, getNodeError, prepareNode } from '../dify';
import type { Setup } from '../dify';
import type { ExecuteFake } from '../../support/n8n/execute-context';

export const START: Step = { node: { id: 'start', type: 'start', title: 'Start' } };

/** A simulator with one workflow. */
export async function startWorkflow(
	script: Script,
	app: Partial<AppSpec> = {},
	options: Parameters<typeof startApp>[1] = {},
): Promise<DifySim> {
	return await startApp({ mode: 'workflow', reply: () => script, ...app }, options);
}

/** A form with a note and a select. */
export const REVIEW: FormStep = {
	nodeId: 'n',
	nodeTitle: 'Review',
	content: 'Draft',
	inputs: [
		{
			output_variable_name: 'note',
			type: 'paragraph',
			default: { type: 'constant', value: 'as usual' },
		},
		{
			output_variable_name: 'pick',
			type: 'select',
			option_source: { type: 'constant', value: ['Rot', 'Grün'] },
		},
	],
	actions: [
		{ id: 'approve', title: 'Approve' },
		{ id: 'reject', title: 'Reject' },
	],
	token: 'tok',
};

export const prepareWorkflow = (sim: Pick<DifySim, 'url'>, setup: Setup = {}): ExecuteFake =>
	prepareNode('difyWorkflow', sim, { mode: 'workflow', ...setup });

/** Runs Dify Workflow; the default operation is Execute. */
export async function executeWorkflow(
	sim: Pick<DifySim, 'url'>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executePrepared('difyWorkflow', prepareWorkflow(sim, setup));
}

export const executeWorkflowJson = async (
	sim: Pick<DifySim, 'url'>,
	setup?: Setup,
): Promise<IDataObject> => (await executeWorkflow(sim, setup))[0]!.json;
export const executeWorkflowError = async (
	sim: Pick<DifySim, 'url'>,
	setup?: Setup,
): Promise<NodeOperationError> => await getNodeError(executeWorkflow(sim, setup));

/** The same with parameters only. */
export const executeOperation = async (
	sim: Pick<DifySim, 'url'>,
	resource: string,
	operation: string,
	parameters: object = {},
): Promise<INodeExecutionData[]> =>
	await executeWorkflow(sim, { parameters: { resource, operation, ...parameters } });
