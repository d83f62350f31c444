import * as annotations from './annotations';
import * as appInfo from './app-info';
import * as files from './files';
import * as follow from './follow';
import { KNOWLEDGE_ROUTES } from './knowledge/routes';
import * as logs from './logs';
import * as records from './records';
import * as runs from './runs';
import type { Handler } from './store';

/** Location of the end user in a request; `!`: required (docs/protocols/dify.md 1.4). */
export type UserFrom = 'body!' | 'body' | 'query!' | 'query' | 'form' | 'none';

export interface Route {
	method: string;
	pattern: RegExp;
	key: 'app' | 'dataset' | 'none';
	body: 'json' | 'upload' | 'none';
	user: UserFrom;
	handler: Handler;
}

const UUID = '([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})';

/** `{}` matches a UUID only, `*` any text (docs/protocols/dify.md 6.3). */
function pattern(path: string): RegExp {
	return new RegExp(`^${path.replaceAll('{}', UUID).replaceAll('*', '([^/]+)')}$`);
}

type Row = [method: string, path: string, user: UserFrom, handler: Handler, over?: Partial<Route>];

const upload: Partial<Route> = { body: 'upload' };

const APP_ROUTES: Row[] = [
	['POST', '/chat-messages', 'body!', runs.chatMessages],
	['POST', '/chat-messages/*/stop', 'body!', runs.stopChat],
	['POST', '/completion-messages', 'body!', runs.completionMessages],
	['POST', '/completion-messages/*/stop', 'body!', runs.stopCompletion],
	['POST', '/workflows/run', 'body!', runs.workflowsRun],
	['POST', '/workflows/*/run', 'body!', runs.workflowsRun],
	['POST', '/workflows/tasks/*/stop', 'body!', runs.stopWorkflow],
	['GET', '/workflows/run/*', 'none', appInfo.workflowRunDetail],
	['GET', '/workflows/logs', 'none', logs.workflowLogs],
	['GET', '/workflow/*/events', 'query!', follow.workflowEvents],
	['GET', '/form/human_input/*', 'none', appInfo.readForm],
	['POST', '/form/human_input/*', 'body!', appInfo.submitForm],
	['POST', '/messages/{}/feedbacks', 'body!', records.postFeedback],
	['GET', '/app/feedbacks', 'none', records.listFeedbacks],
	['GET', '/messages', 'query', records.listMessages],
	['GET', '/messages/{}/suggested', 'query!', records.suggestedQuestions],
	['GET', '/conversations', 'query', records.listConversations],
	['DELETE', '/conversations/{}', 'body', records.deleteConversation],
	['POST', '/conversations/{}/name', 'body', records.renameConversation],
	['GET', '/conversations/{}/variables', 'query', records.listVariables],
	['PUT', '/conversations/{}/variables/{}', 'body', records.updateVariable],
	['POST', '/files/upload', 'form', files.uploadFile, upload],
	['GET', '/files/{}/preview', 'query', files.previewFile],
	['POST', '/audio-to-text', 'form', files.audioToText, upload],
	['POST', '/text-to-audio', 'body', files.textToAudio],
	['GET', '/info', 'none', appInfo.info],
	['GET', '/parameters', 'none', appInfo.parameters],
	['GET', '/meta', 'none', appInfo.meta],
	['GET', '/site', 'none', appInfo.site],
	['GET', '/apps/annotations', 'none', annotations.listAnnotations],
	['POST', '/apps/annotations', 'none', annotations.createAnnotation, { body: 'json' }],
	['PUT', '/apps/annotations/{}', 'none', annotations.changeAnnotation, { body: 'json' }],
	['DELETE', '/apps/annotations/{}', 'none', annotations.deleteAnnotation],
];

function route(key: Route['key'], [method, path, user, handler, over]: Row): Route {
	const body = user.startsWith('body') ? 'json' : 'none';
	return { method, pattern: pattern(path), key, body, user, handler, ...over };
}

/** Fixed paths before patterns: the first match counts. */
export const ROUTES: Route[] = [
	...APP_ROUTES.map((row) => route('app', row)),
	...KNOWLEDGE_ROUTES.map((row) => route('dataset', row)),
];
