import * as fc from 'fast-check';
import type { INode, WorkflowExecuteMode } from 'n8n-workflow';
import { createServerError } from '../../../../lib/errors/create-error';
import { classifyErrorResponse } from '../../../../lib/errors/classify-error';
import { toNodeError } from '../../../../lib/errors/node-error';
import { hideDetailsFromVisitors } from '../../../../nodes/shared/run/visitor-message';

const NODE = { name: 'Model', type: 't', typeVersion: 1, parameters: {} } as unknown as INode;
const hostThatDoesNotTell = (mode: WorkflowExecuteMode) => ({
	getMode: (): WorkflowExecuteMode => mode,
	getExecutionId: (): string => '12',
});
const contextOf = (mode: WorkflowExecuteMode, streams: boolean) => ({
	...hostThatDoesNotTell(mode),
	isStreaming: () => streams,
});
const URL = 'http://10.1.2.3:8080/v1/chat/completions';
const SAID = 'CUDA out of memory at /srv/secret/path';

describe('the error that a visitor of a published chat sees', () => {
	const failed = () =>
		toNodeError(NODE, classifyErrorResponse({ status: 500, body: SAID }, { url: URL }));

	it('the owner finds the whole text in the details of the execution, even if it was hidden twice', () => {
		const whole = failed().description!;
		const error = hideDetailsFromVisitors(contextOf('webhook', true), failed());
		expect(whole).toContain(SAID);
		expect(error.context.data).toMatchObject({ description: whole, type: 'modelCrashed' });
		expect(hideDetailsFromVisitors(contextOf('webhook', true), error).context.data).toMatchObject({
			description: whole,
		});
	});

	it.each([
		['the editor', contextOf('manual', true)],
		['a workflow that streams nothing', contextOf('webhook', false)],
		['the editor of an n8n that does not tell whether it streams', hostThatDoesNotTell('manual')],
		['a schedule in an n8n that does not tell whether it streams', hostThatDoesNotTell('trigger')],
	])('%s shows it as before', (_name, context) => {
		expect(hideDetailsFromVisitors(context, failed()).description).toBe(failed().description);
	});

	it('fast-check: the description contains nothing from any server message', () => {
		fc.assert(
			fc.property(fc.string({ minLength: 12 }), (said) => {
				const known = createServerError(
					'streamError',
					{ url: URL },
					{ serverText: said, title: said, suggestion: said },
				);
				const { description } = hideDetailsFromVisitors(
					contextOf('webhook', true),
					toNodeError(NODE, known),
				);
				expect(description).toEqual(expect.any(String));
				expect(description).not.toContain(said);
			}),
		);
	});
});
