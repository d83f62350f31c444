import type { ListEndpoint } from '../pagination';

/** Ratings of users and of the team in Dify's console, newest first. Larger pages return 400 (docs/protocols/dify.md 2.6). */
export const FEEDBACK_LIST: ListEndpoint = { path: '/app/feedbacks', size: 101 };
