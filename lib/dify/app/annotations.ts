import { nonEmptyText, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors/failure';
import { checkAnswer, checkQuestion } from './annotation-texts';
import { AppApi } from './api';
import { annotationRoutes } from './routes';

interface Annotation {
	question: string;
	answer: string;
}

/**
 * Changes question and answer. Dify 1.12 and 1.14 change annotations of other apps as well, so the ID is looked for in
 * the list of this one first.
 *
 * @throws {ServerError} of kind `notFound`
 */
export async function updateAnnotation(
	client: DifyClient,
	id: string,
	changes: Partial<Annotation>,
): Promise<JsonRecord> {
	const current = await annotationOf(client, id);
	return await new AppApi(client).call(annotationRoutes.update, {
		annotation_id: id,
		question: changes.question ?? nonEmptyText(current.question) ?? '',
		answer: changes.answer ?? nonEmptyText(current.answer) ?? '',
	});
}

/** As `updateAnnotation`: only of this app. @throws {ServerError} of kind `notFound` */
export async function deleteAnnotation(client: DifyClient, id: string): Promise<void> {
	await annotationOf(client, id);
	await new AppApi(client).call(annotationRoutes.delete, { annotation_id: id });
}

/**
 * Creates an annotation, or changes the answer of the one with exactly this question. Of several, the newest is changed.
 *
 * @returns what is stored, and whether it is new
 */
export async function upsertAnnotation(
	client: DifyClient,
	{ question, answer }: Annotation,
): Promise<{ annotation: JsonRecord; created: boolean }> {
	checkQuestion(question);
	checkAnswer(answer);
	const api = new AppApi(client);
	// Dify searches in the stored texts, so a long question is found by its beginning. It must not be cut inside an
	// emoji.
	const keyword = [...question].slice(0, 60).join('');
	const annotations = await api.list(annotationRoutes.list, { keyword }, 'all');
	const existing = annotations.find((each) => each.question === question);
	const id = nonEmptyText(existing?.id);
	if (existing === undefined || id === undefined) {
		const annotation = await api.call(annotationRoutes.create, { question, answer });
		return { annotation, created: true };
	}
	if (existing.answer === answer) return { annotation: existing, created: false };
	const values = { annotation_id: id, question, answer };
	return { annotation: await api.call(annotationRoutes.update, values), created: false };
}

async function annotationOf(client: DifyClient, id: string): Promise<JsonRecord> {
	const annotations = await new AppApi(client).list(annotationRoutes.list, {}, 'all');
	const annotation = annotations.find((each) => each.id === id);
	if (annotation !== undefined) return annotation;
	throw difyFailure('notFound', {
		url: client.url(`/apps/annotations/${id}`),
		message: 'This app has no annotation with this ID',
		remedy: 'Take the ID from Annotation: Get Many, with the credential of the same app.',
		retryable: false,
	});
}
