-- Who is asked no more, such as a witness, is shown no more.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.
GRANT DELETE ON shenguan.follower TO {runtime};
