/** Every operation of Dify Workflow, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

/** The text that the server streams. */
const GENERATED = 'The llama is a domesticated animal';
const NO_RUN = 'This item has no workflowRunId';

describeScreens('difyWorkflow', {
	// The form of the app has a field that Dify requires: only Dify knows that it is empty.
	'Dify Workflow run execute': { asAdded: GENERATED, result: GENERATED },
	'Dify Workflow run get': { asAdded: NO_RUN },
	'Dify Workflow run follow': { asAdded: NO_RUN, result: GENERATED },
	'Dify Workflow run getAll': { asAdded: 'Vicuna.txt' },
	'Dify Workflow run stop': { asAdded: 'This item has no taskId' },
	'Dify Workflow form submit': { asAdded: 'Parameter "Action" is required' },
	'Dify Workflow form get': { asAdded: 'This item has no forms' },
});
