import { nonEmptyText, recordsIn, type JsonRecord } from '../../values';
import { invalidParam } from '../failure';
import type { KnowledgeApi } from './api';

const TAGS = '/datasets/tags';
const MAX_NAME = 50;

/** All tags of the workspace. */
export async function listTags(api: KnowledgeApi): Promise<JsonRecord[]> {
	const answer = await api.read(TAGS);
	return recordsIn(answer);
}

/** The tags of one base. */
export async function tagsOf(api: KnowledgeApi, baseId: string): Promise<JsonRecord[]> {
	return recordsIn((await api.get(`/datasets/${baseId}/tags`)).data);
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has made the tag, but fails to show it */
export async function createTag(api: KnowledgeApi, name: string): Promise<JsonRecord> {
	checkName(name);
	return await api.write(undefined, 'POST', TAGS, { name });
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has renamed the tag, but fails to show it */
export async function renameTag(api: KnowledgeApi, tagId: string, name: string): Promise<JsonRecord> {
	checkName(name);
	return await api.write(undefined, 'PATCH', TAGS, { tag_id: tagId, name });
}

/** @returns false where there was none */
export async function deleteTag(api: KnowledgeApi, tagId: string): Promise<boolean> {
	return await api.deleteIfPresent(undefined, TAGS, { tag_id: tagId });
}

/** Gives a base tags, beside those that it has. */
export async function bindTags(api: KnowledgeApi, baseId: string, tagIds: readonly string[]): Promise<void> {
	const body = { tag_ids: someOf(tagIds), target_id: baseId };
	await api.change(undefined, 'POST', `${TAGS}/binding`, body);
}

/** Takes tags from a base: one at a time, which is all that Dify 1.12 knows; newer versions want a list. */
export async function unbindTags(api: KnowledgeApi, baseId: string, tagIds: readonly string[]): Promise<void> {
	for (const tagId of someOf(tagIds)) {
		const body = { tag_id: tagId, tag_ids: [tagId], target_id: baseId };
		await api.change(undefined, 'POST', `${TAGS}/unbinding`, body);
	}
}

function someOf(tagIds: readonly string[]): string[] {
	if (tagIds.length > 0) return [...tagIds];
	throw invalidParam('There is no tag', 'Choose at least one tag.');
}

function checkName(name: string): void {
	if (nonEmptyText(name.trim()) === undefined) throw invalidParam('The name of the tag is empty', 'Give a name.');
	if ([...name].length > MAX_NAME)
		throw invalidParam(`The name of the tag has more than ${MAX_NAME} characters`, 'Shorten it.');
}
