import { routeTable } from '../routes';
import { checkAnswer, checkQuestion } from './annotation-texts';

/** A language model generates the questions. */
const MODEL_LIMIT_MS = 120_000;

/** Annotations: questions with fixed answers (docs/protocols/dify.md 2.12). */
export const annotationRoutes = routeTable({
	// Newest first, in no order within one second. `keyword`: part of the question or the answer, case-insensitive.
	list: { method: 'GET', path: '/apps/annotations', query: ['keyword'], returns: 'pages' },
	create: {
		method: 'POST',
		path: '/apps/annotations',
		body: ['question', 'answer'],
		checks: { question: checkQuestion, answer: checkAnswer },
		returns: 'record',
	},
	update: {
		method: 'PUT',
		path: '/apps/annotations/{annotation_id}',
		body: ['question', 'answer'],
		checks: { question: checkQuestion, answer: checkAnswer },
		idempotent: true,
		returns: 'record',
	},
	delete: {
		method: 'DELETE',
		path: '/apps/annotations/{annotation_id}',
		body: [],
		returns: 'nothing',
	},
});

export const appRoutes = routeTable({
	// Newest first: of the users, and of the team in Dify's console. A larger page is answered with 400 (2.6).
	feedback: { method: 'GET', path: '/app/feedbacks', returns: 'pages', pageSize: 101 },
	suggestedQuestions: {
		method: 'GET',
		path: '/messages/{message_id}/suggested',
		query: ['user'],
		timeoutMs: MODEL_LIMIT_MS,
		returns: 'record',
	},
});
