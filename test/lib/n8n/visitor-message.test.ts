import * as fc from 'fast-check';
import type { INode, WorkflowExecuteMode } from 'n8n-workflow';
import { createServerError } from '../../../lib/errors/create-error';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { toNodeError } from '../../../lib/errors/node-error';
import { hideDetailsFromVisitors } from '../../../lib/n8n/visitor-message';

const NODE = { name: 'Model', type: 't', typeVersion: 1, parameters: {} } as unknown as INode;
const hostThatDoesNotTell = (mode: WorkflowExecuteMode) => ({
	getMode: (): WorkflowExecuteMode => mode,
	getExecutionId: (): string => '12',
	getChatTrigger: () => null,
	evaluateExpression: () => false,
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
		const error = failed();
		for (const panelText of ['For the panel', 'again']) {
			expect(hideDetailsFromVisitors(contextOf('webhook', true), error, panelText)).toBe(true);
			expect(error.context.data).toMatchObject({ description: whole, type: 'serverError' });
			expect(error.context.descriptionTemplate).toBe('For the panel');
		}
		expect(whole).toContain(SAID);
	});

	it('a sub-workflow tells its caller the title, so it is hidden, but not that of a tool: a model reads it', () => {
		const ofNode = failed();
		const tool = { ...NODE, type: 'n8n-nodes-local-llama.localLlamaTool' };
		const ofTool = toNodeError(
			tool,
			classifyErrorResponse({ status: 500, body: SAID }, { url: URL }),
		);
		const { message } = ofTool;
		for (const error of [ofNode, ofTool])
			hideDetailsFromVisitors(contextOf('integrated', false), error, 'For the panel');
		expect(ofNode.message).toBe(ofNode.description);
		expect(ofTool.message).toBe(message);
	});

	it.each([
		['the editor', contextOf('manual', true)],
		['the editor, which repeats an execution', contextOf('retry', false)],
		['a workflow that streams nothing', contextOf('webhook', false)],
		['the editor of an n8n that does not tell whether it streams', hostThatDoesNotTell('manual')],
		['a schedule in an n8n that does not tell whether it streams', hostThatDoesNotTell('trigger')],
	])('%s shows it as it is', (_name, context) => {
		const error = failed();
		expect(hideDetailsFromVisitors(context, error, '')).toBe(false);
		expect(error.description).toBe(failed().description);
	});

	it('fast-check: the description contains nothing from any server message', () => {
		fc.assert(
			fc.property(fc.string({ minLength: 12 }), (said) => {
				const known = createServerError(
					'streamError',
					{ url: URL },
					{ serverText: said, inputWords: { title: said, suggestion: said } },
				);
				const error = toNodeError(NODE, known);
				hideDetailsFromVisitors(contextOf('webhook', true), error, said);
				expect(error.description).toEqual(expect.any(String));
				expect(error.description).not.toContain(said);
			}),
		);
	});
});
