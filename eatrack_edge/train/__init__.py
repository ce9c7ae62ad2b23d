"""Teacher and student: sampling, losses, distillation and the loop. All of it is torch; none of it flies."""
