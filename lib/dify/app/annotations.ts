import { nonEmptyText, type JsonRecord } from '../../values';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors/failure';
import { AppApi } from './api';
import { annotationRoutes } from './routes';

interface Annotation {
	question: string;
	answer: string;
}

/**
 * Changes question and answer. Dify wants both, so one that stays is read from the list first.
 *
 * @throws {ServerError} of kind `notFound`
 */
export async function updateAnnotation(
	client: DifyClient,
	id: string,
	changes: Partial<Annotation>,
): Promise<JsonRecord> {
	const { question, answer } = changes;
	const texts =
		question === undefined || answer === undefined
			? { ...(await textsOf(client, id)), ...changes }
			: { question, answer };
	return await new AppApi(client).call(annotationRoutes.update, { annotation_id: id, ...texts });
}

async function textsOf(client: DifyClient, id: string): Promise<Annotation> {
	const annotations = await new AppApi(client).list(annotationRoutes.list, {}, 'all');
	const annotation = annotations.find((each) => each.id === id);
	if (annotation === undefined)
		throw difyFailure('notFound', {
			url: client.url(`/apps/annotations/${id}`),
			message: 'This app has no annotation with this ID',
			remedy: 'Take the ID from Annotation: Get Many, with the credential of the same app.',
			retryable: false,
		});
	const { question, answer } = annotation;
	return { question: nonEmptyText(question) ?? '', answer: nonEmptyText(answer) ?? '' };
}
